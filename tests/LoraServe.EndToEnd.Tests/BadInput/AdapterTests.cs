using Google.Protobuf;
using Grpc.Core;
using LoraServe.EndToEnd.Tests.Setup;
using LoraServe.Serving.Requests;
using LoraServe.V1;

namespace LoraServe.EndToEnd.Tests.BadInput;

/// <summary>Adapters that cannot be served, names and paths that are not allowed.</summary>
public class AdapterTests
{
    [Fact]
    public async Task Load_WrongAdapters_AreRefusedAndDisturbNobody()
    {
        await using TestServer server = await TestServer.StartTinyAsync();
        server.Log.Expect("could not be loaded");
        await server.LoadAsync(("good", 1));
        TinyFiles.WriteAdapter(Path.Combine(server.AdapterRoot, "wide"), 2, width: 128);
        TinyFiles.WriteUnmatchedAdapter(Path.Combine(server.AdapterRoot, "unmatched"));
        TinyFiles.WriteAdapterOfOtherVocabulary(Path.Combine(server.AdapterRoot, "vocabulary"));
        Bystanders bystanders = await Bystanders.AskQuietlyAsync(server, "good");
        await bystanders.UndisturbedByAsync(async () =>
        {
            await RefusedAsync("wide", StatusCode.InvalidArgument, "q_proj", "64", "128");
            await RefusedAsync("unmatched", StatusCode.InvalidArgument, "nonesuch_proj");
            await RefusedAsync("vocabulary", StatusCode.InvalidArgument, "embed_tokens", "720", "820");
        });
        Assert.Equal(["good"], (await server.Client.Adapters.ListAsync(new ListAdaptersRequest())).Adapters.Select(adapter => adapter.Name));

        Task RefusedAsync(string name, StatusCode code, params string[] words) =>
            Refused.WithAsync(code, server.Client.Adapters.LoadAsync(new LoadAdapterRequest { Name = name, Path = name }), words);
    }

    [Fact]
    public async Task Upload_AdapterMadeOnAnotherBase_IsRefusedByTheFingerprint()
    {
        using var otherFolder = new TemporaryFolder();
        TinyFiles.WriteModel(otherFolder.At("model"), seed: 2);
        await using TestServer other = await TestServer.StartTinyAsync(folder: otherFolder);
        other.Log.Expect("could not be loaded");
        await using TestServer server = await TestServer.StartTinyAsync();
        await server.LoadAsync(("a", 1));
        await server.Client.Adapters.MergeAsync(new MergeAdaptersRequest { Name = "merged", Inputs = { new MergeInput { Name = "a" } } });
        string made = server.Engine.Adapters.FilesOf(Principal.Operator, "merged");
        await Refused.WithAsync(StatusCode.InvalidArgument, () => other.Client.UploadAdapterAsync("merged", made), "adapter_model.safetensors", "fingerprint", "made for");
        await server.Client.UploadAdapterAsync("again", made);
    }

    [Fact]
    public async Task Publish_TakenNamesAndOtherVersions_AreRefused()
    {
        await using TestServer server = await TestServer.StartTinyAsync();
        await server.LoadAsync(("a", 1));
        V1.Adapters.AdaptersClient adapters = server.Client.Adapters;
        await Refused.WithAsync(StatusCode.AlreadyExists, adapters.LoadAsync(new LoadAdapterRequest { Name = "a", Path = "a", ExpectedVersion = 0 }), "'a' is there already", "version 1");
        await Refused.WithAsync(StatusCode.Aborted, adapters.LoadAsync(new LoadAdapterRequest { Name = "a", Path = "a", ExpectedVersion = 7 }), "is 1, not 7");
        await Refused.WithAsync(StatusCode.AlreadyExists, () => server.Client.UploadAdapterAsync("a", Path.Combine(server.AdapterRoot, "a"), expectedVersion: 0), "'a' is there already");
        await Refused.WithAsync(StatusCode.AlreadyExists, adapters.SetAliasAsync(new SetAliasRequest { Alias = "a", Target = "a@1" }), "'a' is an adapter's name");
        await Refused.WithAsync(StatusCode.NotFound, adapters.SetAliasAsync(new SetAliasRequest { Alias = "x", Target = "a@2" }), "a@2");
        Assert.Equal(2u, (await adapters.LoadAsync(new LoadAdapterRequest { Name = "a", Path = "a", ExpectedVersion = 1 })).Adapter.Version);
    }

    [Theory]
    [InlineData("..")]
    [InlineData("../a")]
    [InlineData("a/../b")]
    [InlineData("a..b")]
    [InlineData("/a")]
    [InlineData("a\\b")]
    [InlineData(".hidden")]
    [InlineData("a b")]
    [InlineData("a\nb")]
    [InlineData("a+b")]
    [InlineData("a:1")]
    [InlineData("a@1")]
    [InlineData("")]
    public async Task Publish_ForbiddenName_IsRefused(string name)
    {
        await using TestServer server = await TestServer.StartTinyAsync();
        string folder = server.WriteAdapter("a", 1);
        await Refused.WithAsync(StatusCode.InvalidArgument, server.Client.Adapters.LoadAsync(new LoadAdapterRequest { Name = name, Path = "a" }), "cannot be an adapter's name", "Use");
        await Refused.WithAsync(StatusCode.InvalidArgument, () => server.Client.UploadAdapterAsync(name, folder), "cannot be an adapter's name");
        Assert.Empty(server.Engine.Adapters.List(Principal.Operator));
    }

    [Fact]
    public async Task Load_PathsOutOfTheRoot_AreRefused()
    {
        await using TestServer server = await TestServer.StartTinyAsync();
        string outside = TinyFiles.WriteAdapter(Path.Combine(server.Outside, "secret"), 1);
        server.WriteAdapter("inside", 2);
        Directory.CreateSymbolicLink(Path.Combine(server.AdapterRoot, "link"), outside);
        Directory.CreateSymbolicLink(Path.Combine(server.AdapterRoot, "link-to-parent"), server.Outside);
        string mixed = Directory.CreateDirectory(Path.Combine(server.AdapterRoot, "mixed")).FullName;
        File.Copy(Path.Combine(outside, "adapter_config.json"), Path.Combine(mixed, "adapter_config.json"));
        File.CreateSymbolicLink(Path.Combine(mixed, "adapter_model.safetensors"), Path.Combine(outside, "adapter_model.safetensors"));

        foreach (string path in new[] { "../outside/secret", "inside/../../outside/secret", outside, "link", "link-to-parent/secret", "mixed", ".", "", "missing", "inside\0x" })
        {
            RpcException refusal = await Refused.WithAsync(StatusCode.InvalidArgument, server.Client.Adapters.LoadAsync(new LoadAdapterRequest { Name = "a", Path = path }), "adapter root");
            Assert.DoesNotContain(server.Outside, refusal.Status.Detail, StringComparison.Ordinal);
        }

        // Nor does a request that names the adapter find it.
        await Refused.WithAsync(StatusCode.InvalidArgument, server.Client.Inference.GenerateAsync(Ask.For("link")), "adapter root");
        await server.Client.Adapters.LoadAsync(new LoadAdapterRequest { Name = "a", Path = "inside" });
    }

    [Fact]
    public async Task Upload_BrokenInAnyWay_IsRefusedAndLeavesNothing()
    {
        await using TestServer server = await TestServer.StartTinyAsync(options => options.MaxUploadBytes = 200_000);
        server.Log.Expect("could not be loaded");
        await server.LoadAsync(("good", 1));
        string folder = TinyFiles.WriteAdapter(Path.Combine(server.Outside, "a"), 2);
        byte[] config = await File.ReadAllBytesAsync(Path.Combine(folder, "adapter_config.json"));
        byte[] weights = await File.ReadAllBytesAsync(Path.Combine(folder, "adapter_model.safetensors"));
        Bystanders bystanders = await Bystanders.AskQuietlyAsync(server, "good");
        await bystanders.UndisturbedByAsync(async () =>
        {
            UploadAdapterRequest header = new() { Header = new UploadHeader { Name = "a" } };
            await RefusedAsync([], "header");
            await RefusedAsync([Chunk("adapter_config.json", config)], "header");
            await RefusedAsync([header], "adapter_config.json");
            await RefusedAsync([header, header], "chunk");
            await RefusedAsync([header, Chunk("adapter_config.json", config)], "adapter_model.safetensors did not come");
            await RefusedAsync([header, Chunk("adapter_model.safetensors", weights)], "adapter_config.json did not come");
            await RefusedAsync([header, Chunk("../evil", config)], "adapter_config.json and adapter_model.safetensors");
            await RefusedAsync([header, Chunk("adapter_model.bin", weights)], "adapter_model.safetensors");
            await RefusedAsync([header, Chunk("adapter_config.json", config), Chunk("adapter_model.safetensors", weights[..(weights.Length / 2)])], "adapter_model.safetensors");
            await RefusedAsync([header, Chunk("adapter_config.json", config[..20]), Chunk("adapter_model.safetensors", weights)], "adapter_config.json");
            await RefusedAsync([header, Chunk("adapter_config.json", config), Chunk("adapter_model.safetensors", [])], "adapter_model.safetensors");
            await RefusedAsync(
                [header, Chunk("adapter_config.json", config), Chunk("adapter_model.safetensors", weights), Chunk("adapter_config.json", config)], "each in chunks that follow each other");
            await RefusedAsync([header, .. Enumerable.Repeat(Chunk("adapter_config.json", new byte[50_000]), 10)], "larger than 200000 bytes");
        });
        Assert.Equal(["good"], server.Engine.Adapters.List(Principal.Operator).Select(adapter => adapter.Name));
        AssertNothingKept(server);

        Task RefusedAsync(UploadAdapterRequest[] parts, params string[] words) =>
            Refused.WithAsync(StatusCode.InvalidArgument, () => SendAsync(server, parts), words);
    }

    [Fact]
    public async Task Upload_CallerGoesAwayInTheMiddle_LeavesNothing()
    {
        await using TestServer server = await TestServer.StartTinyAsync();
        using var gone = new CancellationTokenSource();
        using AsyncClientStreamingCall<UploadAdapterRequest, LoadAdapterResponse> call = server.Client.Adapters.Upload(cancellationToken: gone.Token);
        await call.RequestStream.WriteAsync(new UploadAdapterRequest { Header = new UploadHeader { Name = "a" } });
        await call.RequestStream.WriteAsync(Chunk("adapter_config.json", new byte[100]));
        string uploads = Path.Combine(server.StoreFolder, "uploads");
        await Eventually.TrueAsync(() => Directory.Exists(uploads) && Directory.GetDirectories(uploads).Length == 1, () => "the upload does not begin");
        await gone.CancelAsync();
        await Refused.WithAsync(StatusCode.Cancelled, async () => await call);
        await Eventually.TrueAsync(() => Directory.GetDirectories(uploads).Length == 0, () => "the upload is not deleted");
        AssertNothingKept(server);
    }

    private static void AssertNothingKept(TestServer server)
    {
        Assert.Empty(Directory.GetDirectories(Path.Combine(server.StoreFolder, "uploads")));
        string kept = Path.Combine(server.StoreFolder, "adapters");
        Assert.Empty(Directory.Exists(kept) ? Directory.GetDirectories(kept) : []);
    }

    private static UploadAdapterRequest Chunk(string file, byte[] data) => new() { Chunk = new FileChunk { File = file, Data = ByteString.CopyFrom(data) } };

    private static async Task SendAsync(TestServer server, UploadAdapterRequest[] parts)
    {
        using AsyncClientStreamingCall<UploadAdapterRequest, LoadAdapterResponse> call = server.Client.Adapters.Upload();
        try
        {
            foreach (UploadAdapterRequest part in parts)
            {
                await call.RequestStream.WriteAsync(part);
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
