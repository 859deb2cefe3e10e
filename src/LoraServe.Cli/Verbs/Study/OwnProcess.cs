using System.Diagnostics;
using LoraServe.Studio;

namespace LoraServe.Cli.Verbs.Study;

/// <summary>Runs a verb in a process of its own: the most memory that a process had never falls, so that each training run needs one to be measured.</summary>
internal static class OwnProcess
{
    private const string CommandName = "loraserve";
    private const string Runtime = "dotnet";
    private const string ErrorMark = "error: ";
    private const int Interrupted = 130;

    /// <summary>Runs the verb.</summary>
    /// <param name="command">Arguments of <c>loraserve</c>, with <c>--json</c>.</param>
    /// <param name="progress">Takes each line of progress, on any thread.</param>
    /// <param name="cancellationToken">Stops the process; a training run's last checkpoint stays.</param>
    /// <returns>The object that it printed, or in one line why it printed none.</returns>
    public static async Task<(T? Result, string? Failure)> RunAsync<T>(IEnumerable<string> command, Action<string> progress, CancellationToken cancellationToken)
        where T : class
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
                0 => (JsonOutput.ReadJson<T>(output), null),

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
