using System.Security.Cryptography;
using Grpc.Core;
using LoraServe.V1;

namespace LoraServe.Client.Tests;

public sealed class LoraServeClientTests : IDisposable
{
    /// <summary>More than one message of the client's size.</summary>
    private const int WeightBytes = (2 << 20) + 17;

    private readonly string _folder = Directory.CreateTempSubdirectory("loraserve-").FullName;
    private readonly byte[] _weights = new byte[WeightBytes];

    public LoraServeClientTests()
    {
        new Random(1).NextBytes(_weights);
        File.WriteAllText(Path.Combine(_folder, "adapter_config.json"), "{}");
        File.WriteAllBytes(Path.Combine(_folder, "adapter_model.safetensors"), _weights);
        File.WriteAllText(Path.Combine(_folder, "README.md"), "stays here");
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Upload_Directory_SendsTheHeaderAndThenBothFilesInPieces()
    {
        await using ServerDouble server = await ServerDouble.StartAsync();
        using LoraServeClient client = server.Connect();

        LoadAdapterResponse response = await client.UploadAdapterAsync("support", _folder, expectedVersion: 0);

        Assert.Equal(("uploaded", 7u), (response.Adapter.Name, response.Adapter.Version));
        UploadAdapterRequest[] messages = [.. server.Conversation.Heard.Cast<UploadAdapterRequest>()];
        Assert.Equal(new UploadHeader { Name = "support", ExpectedVersion = 0 }, messages[0].Header);
        Assert.Equal(
            ["adapter_config.json", "adapter_model.safetensors", "adapter_model.safetensors", "adapter_model.safetensors"],
            messages.Skip(1).Select(message => message.Chunk.File));
        byte[] sent = [.. messages.Where(message => message.Chunk?.File == "adapter_model.safetensors").SelectMany(message => message.Chunk.Data)];
        Assert.Equal(SHA256.HashData(_weights), SHA256.HashData(sent));
    }

    [Fact]
    public async Task Upload_AnyVersion_SendsNoExpectation()
    {
        await using ServerDouble server = await ServerDouble.StartAsync();
        using LoraServeClient client = server.Connect();

        await client.UploadAdapterAsync("support", _folder);

        Assert.False(((UploadAdapterRequest)server.Conversation.Heard[0]).Header.HasExpectedVersion);
    }

    [Fact]
    public async Task Upload_RefusedInBetween_FailsWithTheServersReason()
    {
        await using ServerDouble server = await ServerDouble.StartAsync();
        server.Conversation.Refusal = new Status(StatusCode.PermissionDenied, "not yours");
        using LoraServeClient client = server.Connect();

        RpcException refusal = await Assert.ThrowsAsync<RpcException>(() => client.UploadAdapterAsync("support", _folder));

        Assert.Equal((StatusCode.PermissionDenied, "not yours"), (refusal.StatusCode, refusal.Status.Detail));
    }

    [Fact]
    public async Task Upload_DirectoryWithoutWeights_NamesTheMissingFile()
    {
        await using ServerDouble server = await ServerDouble.StartAsync();
        using LoraServeClient client = server.Connect();
        File.Delete(Path.Combine(_folder, "adapter_model.safetensors"));

        FileNotFoundException missing = await Assert.ThrowsAsync<FileNotFoundException>(() => client.UploadAdapterAsync("support", _folder));

        Assert.EndsWith("adapter_model.safetensors", missing.FileName, StringComparison.Ordinal);
    }

    [Fact]
    public async Task StreamText_YieldsTextAsItComesAndSkipsEmptyPieces()
    {
        await using ServerDouble server = await ServerDouble.StartAsync();
        server.Conversation.Chunks = [new GenerateChunk { Text = "Hel" }, new GenerateChunk(), new GenerateChunk { Text = "lo" }, new GenerateChunk { Usage = new Usage() }];
        using LoraServeClient client = server.Connect();
        List<string> pieces = [];

        await foreach (string piece in client.StreamTextAsync("Say hello", "support", new SamplingOptions { MaxTokens = 3 }))
        {
            pieces.Add(piece);
        }

        Assert.Equal(["Hel", "lo"], pieces);
        Assert.Equal(
            new GenerateRequest { Prompt = "Say hello", Adapter = "support", Sampling = new SamplingOptions { MaxTokens = 3 } },
            Assert.Single(server.Conversation.Heard));
    }
}
