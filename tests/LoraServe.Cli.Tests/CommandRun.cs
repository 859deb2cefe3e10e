using System.Text.Json;

namespace LoraServe.Cli.Tests;

/// <summary>One run of the command in this process.</summary>
/// <param name="ExitCode">What the process would end with.</param>
/// <param name="Output">What it wrote to standard output.</param>
/// <param name="Error">What it wrote to standard error.</param>
internal sealed record CommandRun(int ExitCode, string Output, string Error)
{
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
        return new CommandRun(code, output.ToString(), error.ToString());
    }

    /// <summary>Runs the command and checks that it succeeds.</summary>
    public static async Task<CommandRun> SuccessAsync(params string[] arguments)
    {
        CommandRun run = await OfAsync(arguments);
        Assert.True(run.ExitCode == 0, $"{string.Join(' ', arguments)} ended with {run.ExitCode}: {run.Error}");
        return run;
    }

    /// <summary>Runs the command and checks that it refuses in one line without a stack trace.</summary>
    public static async Task<string> RefusalAsync(params string[] arguments)
    {
        CommandRun run = await OfAsync(arguments);
        Assert.Equal(1, run.ExitCode);
        Assert.StartsWith("error: ", run.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", run.Error, StringComparison.Ordinal);
        return run.Error;
    }
}
