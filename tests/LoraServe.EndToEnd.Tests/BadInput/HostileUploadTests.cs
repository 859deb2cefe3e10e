using Grpc.Core;
using LoraServe.EndToEnd.Tests.Setup;
using LoraServe.Testing;
using LoraServe.V1;

namespace LoraServe.EndToEnd.Tests.BadInput;

/// <summary>Uploads every hostile adapter to a server of the base that they were made for.</summary>
public class HostileUploadTests
{
    [Fact]
    public Task Upload_CommittedHostileAdapters_AreRefusedAndDisturbNobody() => UploadAllAsync(Repository.Fixture("adapters/hostile"));

    [SkippableFact]
    public Task Upload_SharedHostileAdapters_AreRefusedAndDisturbNobody() => UploadAllAsync(SharedFiles.Require("fixtures/hostile"));

    private static async Task UploadAllAsync(string hostile)
    {
        await using TestServer server = await TestServer.StartAsync(Path.Combine(hostile, "config", "valid"), Compute.Arithmetic.Exact);
        server.Log.Expect("could not be loaded");
        await server.Client.UploadAdapterAsync("good", Path.Combine(hostile, "adapter", "valid"));
        GenerateRequest[] requests = [Request(""), Request("good")];
        Answer[] quiet = [await server.AskAsync(requests[0]), await server.AskAsync(requests[1])];
        Assert.NotEqual(quiet[0].Tokens, quiet[1].Tokens);
        List<string> refused = [];
        foreach (string folder in Directory.GetDirectories(Path.Combine(hostile, "adapter")).Order(StringComparer.Ordinal))
        {
            string name = Path.GetFileName(folder);
            bool mustBeRefused = IsStrict(hostile, name);
            Task<Exception?> upload = Record.ExceptionAsync(() => UploadAsync(server, name, folder));
            Assert.Equal(quiet, await Task.WhenAll(requests.Select(server.AskAsync)));
            if (await upload is { } failure)
            {
                RpcException refusal = Assert.IsType<RpcException>(failure);
                Assert.True(refusal.StatusCode == StatusCode.InvalidArgument, $"{name}: {refusal.Status}");
                Assert.Contains("adapter_", refusal.Status.Detail, StringComparison.Ordinal);
                Assert.DoesNotContain(server.StoreFolder, refusal.Status.Detail, StringComparison.Ordinal);
                refused.Add(name);
            }
            else
            {
                Assert.False(mustBeRefused, $"{name} was taken");
            }
        }

        Assert.True(refused.Count > 10);
        await server.IdleAsync();
    }

    private static bool IsStrict(string hostile, string name) =>
        File.ReadLines(Path.Combine(hostile, "manifest.jsonl"))
            .Select(line => System.Text.Json.Nodes.JsonNode.Parse(line)!)
            .Any(row => row["file"]!.ToString().StartsWith($"adapter/{name}/", StringComparison.Ordinal) && row["kind"]!.ToString() == "adapter" && (bool)row["strict"]!);

    private static GenerateRequest Request(string adapter)
    {
        var request = new GenerateRequest { Adapter = adapter, Sampling = new SamplingOptions { MaxTokens = 8, IgnoreEos = true, Logprobs = 2 } };
        request.PromptTokenIds.AddRange([1, 5, 9, 3, 12]);
        return request;
    }

    /// <summary>Sends every file there is, whatever its name.</summary>
    private static async Task UploadAsync(TestServer server, string name, string folder)
    {
        using AsyncClientStreamingCall<UploadAdapterRequest, LoadAdapterResponse> call = server.Client.Adapters.Upload();
        try
        {
            await call.RequestStream.WriteAsync(new UploadAdapterRequest { Header = new UploadHeader { Name = name } });
            foreach (string file in Directory.GetFiles(folder))
            {
                var chunk = new FileChunk { File = Path.GetFileName(file), Data = Google.Protobuf.ByteString.CopyFrom(await File.ReadAllBytesAsync(file)) };
                await call.RequestStream.WriteAsync(new UploadAdapterRequest { Chunk = chunk });
            }

            await call.RequestStream.CompleteAsync();
        }
        catch (RpcException)
        {
            // Refused before all was sent; the answer below says why.
        }

        await call;
    }
}
