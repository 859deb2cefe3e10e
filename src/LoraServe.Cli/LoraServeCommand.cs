using System.CommandLine;
using System.CommandLine.Invocation;
using System.Text.RegularExpressions;
using LoraServe.Cli.Verbs;

namespace LoraServe.Cli;

/// <summary>The <c>loraserve</c> command: its verbs, and what happens when one fails.</summary>
internal static partial class LoraServeCommand
{
    private const int Failure = 1;
    private const int Misuse = 2;
    private const int Interrupted = 130;

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
                string verb = command.CommandResult.Command is RootCommand ? "" : $"{command.CommandResult.Command.Name} ";
                await error.WriteLineAsync($"error: {Plain(said.ToString().Trim())}").ConfigureAwait(false);
                await error.WriteLineAsync($"loraserve {verb}--help shows what there is.").ConfigureAwait(false);
                return Misuse;
            }

            return await command.InvokeAsync(configuration).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            return Interrupted;
        }
        catch (Exception exception) when (UserMistake.Describe(exception) is { } message)
        {
            await error.WriteLineAsync($"error: {message}").ConfigureAwait(false);
            return Failure;
        }
    }

    /// <summary>The parser's message without the name of a type, which tells nobody anything.</summary>
    private static string Plain(string message) => ExpectedType().Replace(message, found => found.Groups[1].Value switch
    {
        "Double" or "Single" => " as a number",
        "Int32" or "Int64" => " as a whole number",
        _ => "",
    });

    [GeneratedRegex(@" as expected type '(?:System\.Nullable`1\[)?[\w.]*?(\w+)\]?'")]
    private static partial Regex ExpectedType();

    public static RootCommand Create() => new("Serves one frozen language model with any number of adapters on it, different adapters in one batch.")
    {
        DemoVerb.Create(),
        ServeVerb.Create(),
        GenerateVerb.Create(),
        EvalVerb.Create(),
        TrainVerb.Create(),
        StudyVerb.Create(),
        AdaptersVerb.Create(),
        RanksVerb.Create(),
        BenchVerb.Create(),
        LogitsVerb.Create(),
        TokenizeVerb.Create(),
        TemplateVerb.Create(),
        HealthVerb.Create(),
    };
}
