using System.Diagnostics;

namespace LoraServe.EndToEnd.Tests.Setup;

/// <summary>The command <c>serve</c> in a process of its own, which can be killed, over the model and the adapters of a folder.</summary>
internal sealed class ServerProcess : IDisposable
{
    private readonly Process _process;

    private ServerProcess(Process process, Uri address)
    {
        _process = process;
        Address = address;
    }

    public Uri Address { get; }

    public static async Task<ServerProcess> StartAsync(TemporaryFolder folder)
    {
        string[] arguments = ["serve", "--model", folder.At("model"), "--adapter-root", folder.At("adapters"), "--port", "0"];
        Process process = Process.Start(new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "loraserve.dll"), .. arguments]) { RedirectStandardOutput = true })!;
        return new ServerProcess(process, await AddressAsync(process));
    }

    /// <summary>Ends it as a power cut would.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
        }

        _process.Dispose();
    }

    /// <summary>The address that the command prints: "serving NAME on ADDRESS (gRPC), …".</summary>
    private static async Task<Uri> AddressAsync(Process process)
    {
        while (await process.StandardOutput.ReadLineAsync() is { } line)
        {
            if (line.StartsWith("serving ", StringComparison.Ordinal))
            {
                // What it logs from now on must not fill the pipe.
                _ = process.StandardOutput.BaseStream.CopyToAsync(Stream.Null);
                return new Uri(line.Split(" on ")[1].Split(' ')[0]);
            }
        }

        throw new InvalidOperationException("The command ended before it served.");
    }
}
