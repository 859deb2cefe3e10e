using Grpc.Core;

namespace LoraServe.Grpc.Tests;

public sealed class CallTests
{
    [Fact]
    public async Task Unary_AnyMessage_ComesBack()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync();
        EchoReply reply = await server.Client().SayAsync(new EchoRequest { Text = "héllo" });
        Assert.Equal("héllo", reply.Text);
        Assert.Equal("again", server.Client().Say(new EchoRequest { Text = "again" }).Text);
    }

    [Fact]
    public async Task ServerStreaming_ManyMessages_ComeInOrder()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync();
        using AsyncServerStreamingCall<EchoReply> call = server.Client().Repeat(new EchoRequest { Text = "x", Count = 500 });
        List<int> indexes = [];
        await foreach (EchoReply reply in call.ResponseStream.ReadAllAsync())
        {
            indexes.Add(reply.Index);
        }

        Assert.Equal(Enumerable.Range(0, 500), indexes);
        Assert.Equal(StatusCode.OK, call.GetStatus().StatusCode);
    }

    [Fact]
    public async Task ClientStreaming_ManyMessages_AreAllTaken()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync();
        using AsyncClientStreamingCall<EchoRequest, EchoReply> call = server.Client().Join();
        foreach (string text in (string[])["a", "b", "c"])
        {
            await call.RequestStream.WriteAsync(new EchoRequest { Text = text });
        }

        await call.RequestStream.CompleteAsync();
        Assert.Equal("a+b+c", (await call).Text);
    }

    [Fact]
    public async Task DuplexStreaming_PingPong_InterleavesMessages()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync();
        using AsyncDuplexStreamingCall<EchoRequest, EchoReply> call = server.Client().Talk();
        for (int i = 0; i < 20; i++)
        {
            await call.RequestStream.WriteAsync(new EchoRequest { Text = $"m{i}" });
            Assert.True(await call.ResponseStream.MoveNext(CancellationToken.None));
            Assert.Equal($"m{i}", call.ResponseStream.Current.Text);
        }

        await call.RequestStream.CompleteAsync();
        Assert.False(await call.ResponseStream.MoveNext(CancellationToken.None));
    }
}
