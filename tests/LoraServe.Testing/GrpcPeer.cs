using System.Diagnostics;
using System.Text.Json.Nodes;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Xunit;

namespace LoraServe.Testing;

/// <summary>A client that others wrote, of gRPC if not said otherwise, run as a process of its own by a script below tests/peers.</summary>
public sealed class GrpcPeer
{
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(2);
    private static readonly string s_nodeModules = Path.Combine(Repository.Root, "artifacts", "peers", "node", "node_modules");

    private readonly string _program;
    private readonly string _script;

    private GrpcPeer(string program, string script)
    {
        _program = program;
        _script = script;
    }

    /// <summary>A peer by name; skips the calling test where it is not installed.</summary>
    /// <param name="name">"python" for grpcio, "node" for grpc-js.</param>
    public static GrpcPeer Require(string name)
    {
        const string Python = "/usr/bin/python3";
        bool installed = name switch
        {
            "python" => File.Exists(Python) && RunAsync(Python, ["-c", "import grpc, google.protobuf"], "").GetAwaiter().GetResult().ExitCode == 0,
            "node" => Directory.Exists(Path.Combine(s_nodeModules, "@grpc", "grpc-js")),
            _ => throw new ArgumentException($"There is no peer '{name}'.", nameof(name)),
        };
        Skip.IfNot(installed, $"The {name} gRPC client is not installed; run tests/peers/install.sh.");
        string folder = Path.Combine(Repository.Root, "tests", "peers", name);
        return name == "python" ? new GrpcPeer(Python, Path.Combine(folder, "call.py")) : new GrpcPeer("node", Path.Combine(folder, "call.js"));
    }

    /// <summary>Runs the <c>buf</c> command line and returns what it prints; skips the calling test where it is not installed.</summary>
    public static async Task<string> RunBufAsync(params string[] arguments)
    {
        string buf = Path.Combine(s_nodeModules, ".bin", "buf");
        Skip.IfNot(File.Exists(buf), "The buf command is not installed; run tests/peers/install.sh.");
        return await OutputOfAsync(buf, arguments, "").ConfigureAwait(false);
    }

    /// <summary>Makes calls with OpenAI's client for JavaScript; skips the calling test where it is not installed. What they look like is told in tests/peers/node/openai.js.</summary>
    public static async Task<JsonArray> CallOpenAiAsync(Uri address, params JsonObject[] calls)
    {
        Skip.IfNot(Directory.Exists(Path.Combine(s_nodeModules, "openai")), "The openai client of npm is not installed; run tests/peers/install.sh.");
        string script = Path.Combine(Repository.Root, "tests", "peers", "node", "openai.js");
        return JsonNode.Parse(await OutputOfAsync("node", [script, address.ToString()], new JsonArray([.. calls]).ToJsonString()).ConfigureAwait(false))!.AsArray();
    }

    /// <summary>Runs <c>curl</c> and returns what it prints; skips the calling test where it is not installed.</summary>
    public static async Task<string> RunCurlAsync(params string[] arguments)
    {
        const string Curl = "/usr/bin/curl";
        Skip.IfNot(File.Exists(Curl), "The curl command is not installed.");
        return await OutputOfAsync(Curl, arguments, "").ConfigureAwait(false);
    }

    /// <summary>Makes calls one after another. What a call and an outcome look like is told in tests/peers/python/call.py.</summary>
    /// <param name="address">The server's address, without TLS.</param>
    /// <param name="proto">The file of the services.</param>
    /// <param name="calls">The calls.</param>
    public async Task<JsonArray> CallAsync(Uri address, FileDescriptor proto, params JsonObject[] calls)
    {
        var files = new FileDescriptorSet();
        AddWithImports(files, proto, []);
        string path = Path.GetTempFileName();
        try
        {
            await File.WriteAllBytesAsync(path, files.ToByteArray()).ConfigureAwait(false);
            string input = new JsonArray([.. calls]).ToJsonString();
            return JsonNode.Parse(await OutputOfAsync(_program, [_script, address.Authority, path], input).ConfigureAwait(false))!.AsArray();
        }
        finally
        {
            File.Delete(path);
        }
    }

    /// <summary>Adds what a file imports ahead of it, since some readers want it so.</summary>
    private static void AddWithImports(FileDescriptorSet files, FileDescriptor file, HashSet<string> seen)
    {
        if (seen.Add(file.Name))
        {
            foreach (FileDescriptor import in file.Dependencies)
            {
                AddWithImports(files, import, seen);
            }

            files.File.Add(FileDescriptorProto.Parser.ParseFrom(file.SerializedData));
        }
    }

    private static async Task<string> OutputOfAsync(string program, string[] arguments, string input)
    {
        (int exitCode, string output, string error) = await RunAsync(program, arguments, input).ConfigureAwait(false);
        return exitCode == 0 ? output : throw new InvalidOperationException($"{program} ended with {exitCode}: {error}");
    }

    private static async Task<(int ExitCode, string Output, string Error)> RunAsync(string program, string[] arguments, string input)
    {
        using var process = new Process
        {
            StartInfo = new ProcessStartInfo(program, arguments)
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                Environment = { ["NODE_PATH"] = s_nodeModules },
            },
        };
        process.Start();
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> error = process.StandardError.ReadToEndAsync();
        await process.StandardInput.WriteAsync(input).ConfigureAwait(false);
        process.StandardInput.Close();
        try
        {
            await process.WaitForExitAsync().WaitAsync(s_patience).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }

        return (process.ExitCode, await output.ConfigureAwait(false), await error.ConfigureAwait(false));
    }
}
