using Google.Protobuf;
using Google.Rpc;
using Grpc.Core;
using Status = Grpc.Core.Status;

namespace LoraServe.Grpc.Tests.Server;

public sealed class FailureTests
{
    [Theory]
    [InlineData(3, "field 'text': 100% wrong — ü\n")]
    [InlineData(5, "")]
    [InlineData(8, "plain")]
    [InlineData(16, "%41%")]
    public async Task Handler_ThrowsRpcException_StatusAndTrailersArrive(int code, string text)
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync();
        RpcException e = await Assert.ThrowsAsync<RpcException>(async () =>
            await server.Client().SayAsync(new EchoRequest { Text = text, FailWith = code }));
        Assert.Equal(new Status((StatusCode)code, text), e.Status);
        Assert.Equal("asked", e.Trailers.GetValue("reason"));
        Assert.Equal([1, 2, 255], e.Trailers.GetValueBytes("extra-bin"));
    }

    [Fact]
    public async Task Handler_ThrowsAfterMessages_MessagesThenStatusArrive()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync();
        using AsyncServerStreamingCall<EchoReply> call = server.Client().Repeat(new EchoRequest { Text = "x", Count = 3, FailWith = 9 });
        int seen = 0;
        RpcException e = await Assert.ThrowsAsync<RpcException>(async () =>
        {
            await foreach (EchoReply _ in call.ResponseStream.ReadAllAsync())
            {
                seen++;
            }
        });
        Assert.Equal(3, seen);
        Assert.Equal(StatusCode.FailedPrecondition, e.StatusCode);
        Assert.Equal("asked", call.GetTrailers().GetValue("reason"));
        Assert.Equal(StatusCode.FailedPrecondition, call.GetStatus().StatusCode);
    }

    [Fact]
    public async Task Handler_ThrowsAnythingElse_CallerLearnsNothingOfIt()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync();
        RpcException e = await Assert.ThrowsAsync<RpcException>(async () => await server.Client().SayAsync(new EchoRequest { Text = "crash" }));
        Assert.Equal(StatusCode.Unknown, e.StatusCode);
        Assert.DoesNotContain("secret", e.Status.Detail, StringComparison.Ordinal);
        Assert.DoesNotContain("InvalidOperation", e.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Handler_ThrowsWithDetailedErrors_CallerGetsTheMessage()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync(options => options.EnableDetailedErrors = true);
        RpcException e = await Assert.ThrowsAsync<RpcException>(async () => await server.Client().SayAsync(new EchoRequest { Text = "crash" }));
        Assert.Equal(new Status(StatusCode.Unknown, "InvalidOperationException: a secret of the server"), e.Status);
    }

    [Fact]
    public async Task Handler_ReturnsNull_IsAnError()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync();
        RpcException e = await Assert.ThrowsAsync<RpcException>(async () => await server.Client().SayAsync(new EchoRequest { Text = "null" }));
        Assert.Equal(StatusCode.Unknown, e.StatusCode);
    }

    [Fact]
    public async Task ClientStream_RefusedMidway_WriterAndResponseSeeTheStatus()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync();
        using AsyncClientStreamingCall<EchoRequest, EchoReply> call = server.Client().Join();
        await call.RequestStream.WriteAsync(new EchoRequest { Text = "full", FailWith = 8 });
        RpcException written = await Assert.ThrowsAsync<RpcException>(async () =>
        {
            while (true)
            {
                await call.RequestStream.WriteAsync(new EchoRequest { Data = ByteString.CopyFrom(new byte[10_000]) });
            }
        });
        Assert.Equal(new Status(StatusCode.ResourceExhausted, "full"), written.Status);
        RpcException read = await Assert.ThrowsAsync<RpcException>(async () => await call);
        Assert.Equal(StatusCode.ResourceExhausted, read.StatusCode);
    }

    [Fact]
    public async Task Message_LargerThanServerTakes_IsResourceExhausted()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync(options => options.MaxReceiveMessageSize = 1000);
        Echo.EchoClient client = server.Client();
        RpcException e = await Assert.ThrowsAsync<RpcException>(async () =>
            await client.SayAsync(new EchoRequest { Data = ByteString.CopyFrom(new byte[1001]) }));
        Assert.Equal(StatusCode.ResourceExhausted, e.StatusCode);
        Assert.Contains("1000", e.Status.Detail, StringComparison.Ordinal);
        Assert.Equal("small", (await client.SayAsync(new EchoRequest { Text = "small" })).Text);
    }

    [Fact]
    public async Task Message_LargerThanServerSends_IsResourceExhausted()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync(options => options.MaxSendMessageSize = 1000);
        RpcException e = await Assert.ThrowsAsync<RpcException>(async () =>
            await server.Client().SayAsync(new EchoRequest { Data = ByteString.CopyFrom(new byte[1001]) }));
        Assert.Equal(StatusCode.ResourceExhausted, e.StatusCode);
    }

    [Fact]
    public async Task Message_LargerThanEveryWindow_ArrivesWhole()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync();
        byte[] data = new byte[4_000_000];
        new Random(1).NextBytes(data);
        EchoReply reply = await server.Client().SayAsync(new EchoRequest { Data = ByteString.CopyFrom(data) });
        Assert.True(reply.Data.Span.SequenceEqual(data));
    }

    [Fact]
    public async Task StatusDetails_OfGoogleRpc_RoundTrip()
    {
        var status = new Google.Rpc.Status { Code = 3, Message = "temperature is NaN" };
        var violation = new BadRequest { FieldViolations = { new BadRequest.Types.FieldViolation { Field = "sampling.temperature", Description = "is NaN" } } };
        status.Details.Add(Google.Protobuf.WellKnownTypes.Any.Pack(violation));
        RpcException thrown = status.ToRpcException();
        Assert.Equal(new Status(StatusCode.InvalidArgument, "temperature is NaN"), thrown.Status);

        await using GrpcTestServer server = await GrpcTestServer.StartAsync(options => options.Interceptors.Add<ThrowingInterceptor>(thrown));
        RpcException e = await Assert.ThrowsAsync<RpcException>(async () => await server.Client().SayAsync(new EchoRequest()));
        Assert.Equal(status, e.GetRpcStatus());
        Assert.Equal(violation, e.GetRpcStatus()!.GetDetail<BadRequest>());
        Assert.Null(e.GetRpcStatus()!.GetDetail<RetryInfo>());
        Assert.Null(new RpcException(Status.DefaultCancelled).GetRpcStatus());
    }
}
