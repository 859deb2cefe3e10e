using System.Text.Json;

namespace LoraServe.Cli.Tests;

/// <summary>One run of the command in this process.</summary>
/// <param name="ExitCode">What the process would end with.</param>
/// <param name="Output">What it wrote to standard output.</param>
/// <param name="Error">What it wrote to standard error.</param>
internal sealed record CommandRun(int ExitCode, string Output, string Error)
{
    /// <summary>What tells a user nothing: words of the runtime and its libraries, which no message may have.</summary>
    private static readonly string[] s_foreign =
        ["(Parameter ", "Exception", "   at ", "Could not find", "LineNumber", "BytePosition", "System.", "ErrorOnUnknownConfiguration", "expected physical path", "subchannel"];

    /// <summary>The first line of the output as JSON.</summary>
    public JsonElement Json => JsonLines[0];

    /// <summary>All lines of the output as JSON.</summary>
    public JsonElement[] JsonLines => [.. Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonElement.Parse(line))];

    /// <summary>Runs the command.</summary>
    public static async Task<CommandRun> OfAsync(params string[] arguments)
    {
        using var output = new StringWriter { NewLine = "\n" };
        using var error = new StringWriter { NewLine = "\n" };
        int code = await LoraServeCommand.RunAsync(arguments, output, error);
        Assert.All(s_foreign, foreign => Assert.DoesNotContain(foreign, error.ToString(), StringComparison.Ordinal));
        return new CommandRun(code, output.ToString(), error.ToString());
    }

    /// <summary>Runs the command and checks that it succeeds.</summary>
    public static async Task<CommandRun> SuccessAsync(params string[] arguments)
    {
        CommandRun run = await OfAsync(arguments);
        Assert.True(run.ExitCode == 0, $"{string.Join(' ', arguments)} ended with {run.ExitCode}: {run.Error}");
        return run;
    }

    /// <summary>Runs the command and checks that it fails, and says why.</summary>
    public static Task<string> RefusalAsync(params string[] arguments) => ErrorAsync(1, arguments);

    /// <summary>Runs the command and checks that it takes the command line or a setting for wrong, and says why.</summary>
    public static Task<string> MisuseAsync(params string[] arguments) => ErrorAsync(2, arguments);

    /// <summary>Runs the command and checks that it ends with a code, and says why.</summary>
    public static async Task<string> ErrorAsync(int code, params string[] arguments)
    {
        CommandRun run = await OfAsync(arguments);
        Assert.True(run.ExitCode == code, $"{string.Join(' ', arguments)} ended with {run.ExitCode} instead of {code}: {run.Error}");
        Assert.StartsWith("error: ", run.Error, StringComparison.Ordinal);
        return run.Error;
    }
}
