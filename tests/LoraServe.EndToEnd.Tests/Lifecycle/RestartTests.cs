using Google.Protobuf;
using Grpc.Core;
using LoraServe.Client;
using LoraServe.EndToEnd.Tests.Setup;
using LoraServe.V1;

namespace LoraServe.EndToEnd.Tests.Lifecycle;

/// <summary>What a server knows after it was stopped, or killed.</summary>
public class RestartTests
{
    [Fact]
    public async Task Restart_OnTheSameStore_NamesVersionsAliasesAndPinsAreThere()
    {
        using var folder = new TemporaryFolder();
        Answer best;
        Answer latest;
        Adapter[] before;
        await using (TestServer server = await TestServer.StartTinyAsync(folder: folder))
        {
            await server.LoadAsync(("a", 1));
            await server.Client.UploadAdapterAsync("b", TinyFiles.WriteAdapter(Path.Combine(server.Outside, "b1"), 2));
            await server.Client.UploadAdapterAsync("b", TinyFiles.WriteAdapter(Path.Combine(server.Outside, "b2"), 3));
            await server.Client.UploadAdapterAsync("gone", TinyFiles.WriteAdapter(Path.Combine(server.Outside, "gone"), 4));
            await server.Client.Adapters.UnloadAsync(new UnloadAdapterRequest { Name = "gone" });
            await server.Client.Adapters.SetAliasAsync(new SetAliasRequest { Alias = "best", Target = "b@1" });
            await server.Client.Adapters.PinAsync(new PinAdapterRequest { Name = "a", Pinned = true });
            best = await server.AskAsync(Ask.For("best"));
            latest = await server.AskAsync(Ask.For("b"));
            before = await ListAsync(server);
        }

        await using (TestServer server = await TestServer.StartTinyAsync(folder: folder))
        {
            Assert.Equal(before.Select(Identity), (await ListAsync(server)).Select(Identity));
            Assert.Equal(best, await server.AskAsync(Ask.For("best")));
            Assert.Equal(latest, await server.AskAsync(Ask.For("b")));
            Assert.NotEqual(best.Digest, latest.Digest);
            await Refused.WithAsync(StatusCode.NotFound, server.Client.Inference.GenerateAsync(Ask.For("gone")));

            // A number never means two things.
            LoadAdapterResponse again = await server.Client.UploadAdapterAsync("gone", Path.Combine(server.Outside, "b1"), expectedVersion: 0);
            Assert.Equal(2u, again.Adapter.Version);
        }
    }

    [Fact]
    public async Task Kill_InTheMiddleOfAnUpload_LeavesNothing()
    {
        using var folder = new TemporaryFolder();
        string uploads = folder.At("adapters/.store/uploads");
        using (CommandProcess server = CommandProcess.Serve(folder))
        {
            using var client = new LoraServeClient(await server.AddressAsync());
            await client.UploadAdapterAsync("whole", TinyFiles.WriteAdapter(folder.At("whole"), 1));
            using AsyncClientStreamingCall<UploadAdapterRequest, LoadAdapterResponse> call = client.Adapters.Upload();
            await call.RequestStream.WriteAsync(new UploadAdapterRequest { Header = new UploadHeader { Name = "half" } });
            await call.RequestStream.WriteAsync(new UploadAdapterRequest
            {
                Chunk = new FileChunk { File = "adapter_model.safetensors", Data = ByteString.CopyFrom(new byte[50_000]) },
            });
            await Eventually.TrueAsync(() => Directory.Exists(uploads) && Directory.GetDirectories(uploads).Length == 1, () => "the upload does not begin");
            server.Kill();
            await server.EndAsync();

            // No server says this; the client does, in its own words.
            Assert.Equal(StatusCode.Unavailable, (await Assert.ThrowsAsync<RpcException>(async () => await call)).StatusCode);
        }

        Assert.Single(Directory.GetDirectories(uploads));
        await using TestServer restarted = await TestServer.StartTinyAsync(folder: folder);
        Assert.False(Directory.Exists(uploads));
        Assert.Equal(["whole"], (await ListAsync(restarted)).Select(adapter => adapter.Name));
        Assert.Single(Directory.GetDirectories(folder.At("adapters/.store/adapters")));
        await restarted.AskAsync(Ask.For("whole"));
    }

    [Fact]
    public async Task Start_OnTheStoreOfARunningServer_IsRefusedInOneLine()
    {
        using var folder = new TemporaryFolder();
        await using TestServer running = await TestServer.StartTinyAsync(folder: folder);
        using CommandProcess second = CommandProcess.Serve(folder);
        (int code, string error) = await second.EndAsync();
        Assert.NotEqual(0, code);
        Assert.Contains("is in use by another server", error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", error, StringComparison.Ordinal);
        await running.LoadAsync(("a", 1));
    }

    private static (string Name, uint Version, string Digest, string Aliases, bool IsPinned, bool IsLatest) Identity(Adapter adapter) =>
        (adapter.Name, adapter.Version, adapter.Digest, string.Join(',', adapter.Aliases), adapter.Pinned, adapter.Latest);

    private static async Task<Adapter[]> ListAsync(TestServer server) => [.. (await server.Client.Adapters.ListAsync(new ListAdaptersRequest())).Adapters];
}
