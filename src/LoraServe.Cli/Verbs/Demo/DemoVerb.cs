using System.CommandLine;
using LoraServe.Cli.Mistakes;
using LoraServe.Cli.Rendering;

namespace LoraServe.Cli.Verbs.Demo;

/// <summary><c>loraserve demo</c>: the whole story in about a minute: a server, adapters that are trained and published, one mixed batch.</summary>
internal static class DemoVerb
{
    public static Command Create()
    {
        var model = new Option<string>("--model") { Description = "Show this model, with adapters that exist already. [default: train adapters on the small model that comes with the program]", HelpName = "PATH" };
        var root = new Option<string>("--adapter-root") { Description = "With --model: show the LoRA adapters in the folders below this one. [default: random ones]", HelpName = "DIR" };
        var steps = new Option<int?>("--steps") { Description = "Without --model: steps that each adapter is trained for. [default: what each needs]", HelpName = "N" };
        var verb = new Command("demo", "Train three adapters, serve them in one batch, and see it happen.") { model, root, steps };
        verb.SetAction(async (arguments, cancellationToken) =>
        {
            var screen = new DemoScreen(Terminal.Console(arguments.InvocationConfiguration.Output));
            if (arguments.GetValue(model) is { } path)
            {
                Refuse(arguments, steps, "has nothing to train with --model; leave one of them out");
                await ServingDemo.RunAsync(path, arguments.GetValue(root), screen, cancellationToken).ConfigureAwait(false);
            }
            else
            {
                if (arguments.GetValue(steps) is < 1 and var few)
                {
                    throw new UsageException($"--steps is {few}; expected at least 1.");
                }

                Refuse(arguments, root, "needs --model, which its adapters are for");
                await TrainingDemo.RunAsync(DemoTask.All(arguments.GetValue(steps)), screen, cancellationToken).ConfigureAwait(false);
            }
        });
        return verb;
    }

    private static void Refuse(ParseResult arguments, Option option, string reason)
    {
        if (arguments.GetResult(option) is { Implicit: false })
        {
            throw new UsageException($"{option.Name} {reason}.");
        }
    }
}
