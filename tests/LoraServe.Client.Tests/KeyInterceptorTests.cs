using Grpc.Core;
using LoraServe.V1;

namespace LoraServe.Client.Tests;

public sealed class KeyInterceptorTests
{
    [Fact]
    public async Task EveryKindOfCall_CarriesTheKey()
    {
        await using ServerDouble server = await ServerDouble.StartAsync();
        using LoraServeClient client = server.Connect("secret");

        client.Inference.Chat(new ChatRequest());
        await client.Inference.ChatAsync(new ChatRequest());
        using AsyncServerStreamingCall<GenerateChunk> stream = client.Inference.ChatStream(new ChatRequest());
        await stream.ResponseStream.MoveNext(CancellationToken.None);
        using AsyncClientStreamingCall<UploadAdapterRequest, LoadAdapterResponse> upload = client.Adapters.Upload();
        await upload.RequestStream.WriteAsync(new UploadAdapterRequest { Header = new UploadHeader { Name = "a" } });
        await upload.RequestStream.CompleteAsync();
        await upload;

        Assert.Equal(Enumerable.Repeat("Bearer secret", 4), server.Conversation.Keys);
    }

    [Fact]
    public async Task Call_WithHeadersOfItsOwn_KeepsThem()
    {
        await using ServerDouble server = await ServerDouble.StartAsync();
        using LoraServeClient client = server.Connect("secret");
        var headers = new Metadata { { "traceparent", "00-1-2-01" } };

        await client.Inference.ChatAsync(new ChatRequest(), headers);

        Assert.Equal("Bearer secret", Assert.Single(server.Conversation.Keys));
        Assert.Equal("traceparent", Assert.Single(headers).Key);
    }

    [Fact]
    public async Task Call_WithoutAKey_SendsNone()
    {
        await using ServerDouble server = await ServerDouble.StartAsync();
        using LoraServeClient client = server.Connect();

        await client.Inference.ChatAsync(new ChatRequest());

        Assert.Null(Assert.Single(server.Conversation.Keys));
    }
}
