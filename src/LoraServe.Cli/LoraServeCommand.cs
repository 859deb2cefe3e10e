using System.CommandLine;
using System.CommandLine.Invocation;
using LoraServe.Cli.Verbs;

namespace LoraServe.Cli;

/// <summary>The <c>loraserve</c> command: its verbs, and what happens when one fails.</summary>
internal static class LoraServeCommand
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
            int code = await command.InvokeAsync(configuration).ConfigureAwait(false);
            return command.Action is ParseErrorAction ? Misuse : code;
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
