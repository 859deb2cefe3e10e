using System.Diagnostics;
using System.Threading.Channels;

namespace LoraServe.EndToEnd.Tests.Setup;

/// <summary>The <c>loraserve</c> command as a process of its own, which can be killed.</summary>
internal sealed class CommandProcess : IDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(1);

    private readonly Process _process;
    private readonly List<string> _output = [];
    private readonly Channel<string> _lines = Channel.CreateUnbounded<string>();
    private readonly Task<string> _error;

    private CommandProcess(string[] arguments)
    {
        _process = Process.Start(new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "loraserve.dll"), .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        _error = _process.StandardError.ReadToEndAsync();

        // Read all the time: a full pipe would stop the command.
        _process.OutputDataReceived += (_, line) => _ = line.Data is { } data ? _lines.Writer.TryWrite(data) : _lines.Writer.TryComplete();
        _process.BeginOutputReadLine();
    }

    /// <summary>What it has written to standard output, as far as it was waited for.</summary>
    public IReadOnlyList<string> Output => _output;

    public static CommandProcess Start(params string[] arguments) => new(arguments);

    /// <summary>Serves the tiny model in a folder, which is written if it is not there, on a free port.</summary>
    public static CommandProcess Serve(TemporaryFolder folder)
    {
        string model = folder.At("model");
        if (!Directory.Exists(model))
        {
            TinyFiles.WriteModel(model);
        }

        Directory.CreateDirectory(folder.At("adapters"));
        return new CommandProcess(["serve", "--model", model, "--adapter-root", folder.At("adapters"), "--port", "0"]);
    }

    /// <summary>The address that the command prints: "serving NAME on ADDRESS (gRPC), …".</summary>
    public async Task<Uri> AddressAsync() => new((await LineAsync("serving ")).Split(" on ")[1].Split(' ')[0]);

    /// <summary>Waits for a line of its output that begins so.</summary>
    public async Task<string> LineAsync(string beginning)
    {
        while (await NextAsync() is { } line)
        {
            if (line.StartsWith(beginning, StringComparison.Ordinal))
            {
                return line;
            }
        }

        throw new InvalidOperationException($"The command ended without '{beginning}': {string.Join('\n', _output)}\n{await _error}");
    }

    /// <summary>Sends a signal, such as <c>TERM</c>.</summary>
    public async Task SignalAsync(string name)
    {
        using var kill = Process.Start("kill", ["-s", name, _process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync();
    }

    public void Kill() => _process.Kill();

    /// <summary>Waits for its end.</summary>
    /// <returns>The exit code and all that it wrote to standard error.</returns>
    public async Task<(int Code, string Error)> EndAsync()
    {
        while (await NextAsync() is not null)
        {
        }

        await _process.WaitForExitAsync().WaitAsync(s_patience);
        return (_process.ExitCode, await _error);
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
        }

        _process.Dispose();
    }

    // Null at the end of its output.
    private async Task<string?> NextAsync()
    {
        if (!await _lines.Reader.WaitToReadAsync().AsTask().WaitAsync(s_patience) || !_lines.Reader.TryRead(out string? line))
        {
            return null;
        }

        _output.Add(line);
        return line;
    }
}
