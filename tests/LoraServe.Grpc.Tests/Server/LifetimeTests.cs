using Google.Protobuf;
using Grpc.Core;

namespace LoraServe.Grpc.Tests.Server;

public sealed class LifetimeTests
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task Deadline_Passes_CallFailsAndHandlerIsCancelled()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync();
        RpcException e = await Assert.ThrowsAsync<RpcException>(async () =>
            await server.Client().SayAsync(new EchoRequest { Text = "wait" }, deadline: DateTime.UtcNow.AddMilliseconds(300)));
        Assert.Equal(StatusCode.DeadlineExceeded, e.StatusCode);
        await server.Echo.Cancelled.Task.WaitAsync(s_patience);
    }

    [Fact]
    public async Task Deadline_InThePast_FailsAtOnce()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync();
        RpcException e = await Assert.ThrowsAsync<RpcException>(async () =>
            await server.Client().SayAsync(new EchoRequest { Text = "wait" }, deadline: DateTime.UtcNow.AddSeconds(-1)));
        Assert.Equal(StatusCode.DeadlineExceeded, e.StatusCode);
        Assert.Null(server.Echo.LastContext);
    }

    [Fact]
    public async Task Deadline_FarAway_ReachesTheHandler()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync();
        DateTime deadline = DateTime.UtcNow.AddHours(1);
        await server.Client().SayAsync(new EchoRequest(), deadline: deadline);
        Assert.InRange(server.Echo.LastContext!.Deadline, deadline.AddMinutes(-1), deadline.AddMinutes(1));
        await server.Client().SayAsync(new EchoRequest(), deadline: DateTime.MaxValue);
        Assert.Equal(DateTime.MaxValue, server.Echo.LastContext!.Deadline);
        await server.Client().SayAsync(new EchoRequest(), deadline: DateTime.UtcNow.AddYears(500));
    }

    [Fact]
    public async Task Deadline_OfAStream_EndsItMidway()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync();
        using AsyncServerStreamingCall<EchoReply> call = server.Client().Repeat(new EchoRequest { Text = "wait", Count = 2 }, deadline: DateTime.UtcNow.AddMilliseconds(400));
        RpcException e = await Assert.ThrowsAsync<RpcException>(async () =>
        {
            await foreach (EchoReply _ in call.ResponseStream.ReadAllAsync())
            {
            }
        });
        Assert.Equal(StatusCode.DeadlineExceeded, e.StatusCode);
        await server.Echo.Cancelled.Task.WaitAsync(s_patience);
    }

    [Fact]
    public async Task Caller_Cancels_CallIsCancelledOnBothSides()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync();
        using var cancellation = new CancellationTokenSource();
        using AsyncServerStreamingCall<EchoReply> call = server.Client().Repeat(new EchoRequest { Text = "wait", Count = 1 }, cancellationToken: cancellation.Token);
        Assert.True(await call.ResponseStream.MoveNext(default));
        await cancellation.CancelAsync();
        RpcException e = await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext(default));
        Assert.Equal(StatusCode.Cancelled, e.StatusCode);
        await server.Echo.Cancelled.Task.WaitAsync(s_patience);
    }

    [Fact]
    public async Task Caller_CancelsARead_CallIsCancelled()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync();
        using var cancellation = new CancellationTokenSource(200);
        using AsyncServerStreamingCall<EchoReply> call = server.Client().Repeat(new EchoRequest { Text = "wait" }, deadline: DateTime.UtcNow.AddMinutes(1));
        RpcException e = await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext(cancellation.Token));
        Assert.Equal(StatusCode.Cancelled, e.StatusCode);
        await server.Echo.Cancelled.Task.WaitAsync(s_patience);
    }

    [Fact]
    public async Task Caller_AsksForOperationCanceled_GetsIt()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync();
        using var cancellation = new CancellationTokenSource(200);
        Echo.EchoClient client = server.Client(new() { ThrowOperationCanceledOnCancellation = true });
        await Assert.ThrowsAsync<OperationCanceledException>(async () =>
            await client.SayAsync(new EchoRequest { Text = "wait" }, cancellationToken: cancellation.Token));
    }

    [Fact]
    public async Task Caller_DisposesTheCall_HandlerIsCancelled()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync();
        AsyncServerStreamingCall<EchoReply> call = server.Client().Repeat(new EchoRequest { Text = "wait", Count = 1 });
        Assert.True(await call.ResponseStream.MoveNext(default));
        call.Dispose();
        Assert.Equal(StatusCode.Cancelled, call.GetStatus().StatusCode);
        await server.Echo.Cancelled.Task.WaitAsync(s_patience);
    }

    [Fact]
    public async Task Caller_DisposesTheChannel_HandlerIsCancelled()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync();
        var channel = server.Channel();
        using AsyncServerStreamingCall<EchoReply> call = new Echo.EchoClient(channel).Repeat(new EchoRequest { Text = "wait", Count = 1 });
        Assert.True(await call.ResponseStream.MoveNext(default));
        channel.Dispose();
        await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext(default));
        await server.Echo.Cancelled.Task.WaitAsync(s_patience);
    }

    [Fact]
    public async Task Reader_DoesNotRead_WriterWaits()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync();
        using AsyncServerStreamingCall<EchoReply> call = server.Client().Repeat(new EchoRequest { Text = "flood", Data = ByteString.CopyFrom(new byte[100_000]) });
        Assert.True(await call.ResponseStream.MoveNext(default));

        // The writer stops once windows and buffers are full: its count settles instead of growing for as long as we look.
        int before;
        do
        {
            before = server.Echo.Written;
            await Task.Delay(400);
        }
        while (server.Echo.Written != before && server.Echo.Written < 5000);
        Assert.InRange(server.Echo.Written, 1, 1000);
        call.Dispose();
        await server.Echo.Cancelled.Task.WaitAsync(s_patience);
    }

    [Fact]
    public async Task Server_IsNotThere_IsUnavailable()
    {
        GrpcTestServer server = await GrpcTestServer.StartAsync();
        Echo.EchoClient client = new(global::Grpc.Net.Client.GrpcChannel.ForAddress(server.Address));
        await server.DisposeAsync();
        RpcException e = await Assert.ThrowsAsync<RpcException>(async () => await client.SayAsync(new EchoRequest()));
        Assert.Equal(StatusCode.Unavailable, e.StatusCode);
    }
}
