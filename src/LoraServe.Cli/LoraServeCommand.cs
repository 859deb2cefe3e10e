using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using LoraServe.Cli.Arguments;
using LoraServe.Cli.Mistakes;
using LoraServe.Cli.Verbs;
using LoraServe.Cli.Verbs.Adapters;
using LoraServe.Cli.Verbs.Bench;
using LoraServe.Cli.Verbs.Demo;
using LoraServe.Cli.Verbs.Ranks;
using LoraServe.Cli.Verbs.Study;
using LoraServe.Cli.Verbs.Train;

namespace LoraServe.Cli;

/// <summary>The <c>loraserve</c> command: its verbs, and what happens when one fails.</summary>
internal static class LoraServeCommand
{
    private const int Failure = 1;
    private const int Misuse = 2;
    private const int Interrupted = 130;

    private const string Description = """
        Serves one frozen language model with any number of adapters on it, different adapters in one batch.

        Exit codes: 0 done; 1 it failed, and the last line says why; 2 the command line or a setting is wrong, and nothing was done; 130 interrupted.
        """;

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(2);

    public static async Task<int> RunAsync(string[] args, TextWriter output, TextWriter error)
    {
        var configuration = new InvocationConfiguration { EnableDefaultExceptionHandler = false, Output = output, Error = error };
        try
        {
            ParseResult command = Create().Parse(args);
            if (command.Action is ParseErrorAction misuse)
            {
                // A screen of help would scroll away what is wrong.
                misuse.ShowHelp = false;
                using var said = new StringWriter();
                await command.InvokeAsync(new InvocationConfiguration { Output = said, Error = said }).ConfigureAwait(false);
                await error.WriteLineAsync($"error: {ParserMessage.Plain(said.ToString())}").ConfigureAwait(false);
                await error.WriteLineAsync($"{Spelled(command.CommandResult)} --help shows what there is.").ConfigureAwait(false);
                return Misuse;
            }

            configuration.ProcessTerminationTimeout = PatienceOf(command);
            int code = await command.InvokeAsync(configuration).ConfigureAwait(false);
            if (command.Action is HelpAction && command.CommandResult.Command is NotedCommand verb)
            {
                await output.WriteLineAsync(verb.Notes).ConfigureAwait(false);
            }

            return code;
        }
        catch (OperationCanceledException)
        {
            return Interrupted;
        }
        catch (Exception exception) when (UserMistake.Describe(exception) is { } message)
        {
            await error.WriteLineAsync($"error: {message}").ConfigureAwait(false);
            return UserMistake.IsMisuse(exception) ? Misuse : Failure;
        }
    }

    /// <summary>How long a verb that was asked to stop has for it, before the process ends with it amid what it does. It is read before the verb runs.</summary>
    /// <returns>Null where the verb hears signals itself.</returns>
    internal static TimeSpan? PatienceOf(ParseResult command) => command.CommandResult.Parent is CommandResult { Command: RootCommand } ? PatienceOf(command.CommandResult.Command.Name) : s_patience;

    private static TimeSpan? PatienceOf(string verb) => verb switch
    {
        // Whoever runs it may be cut off by a second signal, see StopSignals.
        ServeVerb.Name => null,

        // However long the step that runs still takes: after it comes the checkpoint.
        TrainVerb.Name or StudyVerb.Name => Timeout.InfiniteTimeSpan,
        _ => s_patience,
    };

    public static RootCommand Create() => new(Description)
    {
        DemoVerb.Create(),
        ServeVerb.Create(),
        GenerateVerb.Create(),
        EvalVerb.Create(),
        TrainVerb.Create(),
        StudyVerb.Create(),
        AdaptersVerb.Create(),
        ConvertModelVerb.Create(),
        RanksVerb.Create(),
        BenchVerb.Create(),
        LogitsVerb.Create(),
        TokenizeVerb.Create(),
        TemplateVerb.Create(),
        HealthVerb.Create(),
    };

    /// <summary>A verb as it is typed, with those that it is below.</summary>
    private static string Spelled(CommandResult verb) => verb.Parent is CommandResult above ? $"{Spelled(above)} {verb.Command.Name}" : "loraserve";
}
