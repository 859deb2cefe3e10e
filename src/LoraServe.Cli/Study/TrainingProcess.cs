using System.Diagnostics;
using LoraServe.Cli.Rendering;
using LoraServe.Training.Reports;

namespace LoraServe.Cli.Study;

/// <summary>Trains in a process of its own: the most memory that a process had never falls, so that each run needs one to be measured.</summary>
internal static class TrainingProcess
{
    private const string CommandName = "loraserve";
    private const string Runtime = "dotnet";
    private const string ErrorMark = "error: ";
    private const int Interrupted = 130;

    /// <summary>Trains.</summary>
    /// <param name="command">Arguments of <c>loraserve train</c>, with <c>--json</c>.</param>
    /// <param name="progress">Takes each line of progress, on any thread.</param>
    /// <param name="cancellationToken">Stops the process; its last checkpoint stays.</param>
    /// <returns>What came of it, or in one line why nothing did.</returns>
    public static async Task<(RunSummary? Summary, string? Failure)> RunAsync(IEnumerable<string> command, Action<string> progress, CancellationToken cancellationToken)
    {
        using var process = new Process { StartInfo = Start(command) };
        string failure = "it ended without a word";
        process.ErrorDataReceived += (_, line) =>
        {
            if (line.Data is { Length: > 0 } text)
            {
                failure = text.StartsWith(ErrorMark, StringComparison.Ordinal) ? text[ErrorMark.Length..] : failure;
                progress(text);
            }
        };
        process.Start();
        process.BeginErrorReadLine();
        try
        {
            string output = await process.StandardOutput.ReadToEndAsync(cancellationToken).ConfigureAwait(false);
            await process.WaitForExitAsync(cancellationToken).ConfigureAwait(false);
            return process.ExitCode switch
            {
                0 => (JsonOutput.ReadJson<RunSummary>(output), null),

                // Ctrl+C reaches both processes.
                Interrupted => throw new OperationCanceledException("The run was interrupted."),
                int code => (null, $"{failure} (exit code {code})"),
            };
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
            }
        }
    }

    /// <summary>This program again: by its own name, or as the library that the runtime was given.</summary>
    private static ProcessStartInfo Start(IEnumerable<string> command)
    {
        string self = Environment.ProcessPath ?? Runtime;
        string name = Path.GetFileNameWithoutExtension(self);
        string[] library = name == CommandName ? [] : [Path.Combine(AppContext.BaseDirectory, $"{CommandName}.dll")];
        return new ProcessStartInfo(name is CommandName or Runtime ? self : Runtime, [.. library, .. command])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
    }
}
