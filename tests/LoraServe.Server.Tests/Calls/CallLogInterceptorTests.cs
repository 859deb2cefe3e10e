using Grpc.Core;
using Grpc.Health.V1;
using LoraServe.Server.Calls;
using LoraServe.Serving;
using Microsoft.Extensions.Logging;
using Proto = LoraServe.V1;

namespace LoraServe.Server.Tests.Calls;

public sealed class CallLogInterceptorTests
{
    private readonly RecordedLog<CallLogInterceptor> _log = new();
    private readonly CallLogInterceptor _interceptor;

    public CallLogInterceptorTests() => _interceptor = new CallLogInterceptor(_log, new StillClock());

    [Fact]
    public async Task Unary_Answer_LogsMethodStatusTenantAndTheAnswersId()
    {
        await _interceptor.UnaryServerHandler(
            new Proto.GenerateRequest(), new FakeCall(new Principal("alice", IsAdmin: false)), (_, _) => Task.FromResult(new Proto.GenerateResponse { RequestId = "made-up" }));

        Assert.Equal((LogLevel.Information, "/loraserve.v1.Inference/Generate: OK for tenant 'alice' in 0.0 ms, request 'made-up'.", null), Assert.Single(_log.Lines));
    }

    [Fact]
    public async Task Stream_RefusedCall_LogsItsStatusAndTheRequestsId()
    {
        await Assert.ThrowsAsync<RpcException>(() => _interceptor.ServerStreamingServerHandler<Proto.ChatRequest, Proto.GenerateChunk>(
            new Proto.ChatRequest { RequestId = "mine" }, null!, new FakeCall(), (_, _, _) => throw new RpcException(new Status(StatusCode.Unauthenticated, "no key"))));

        Assert.Equal("/loraserve.v1.Inference/Generate: Unauthenticated for tenant '' in 0.0 ms, request 'mine'.", Assert.Single(_log.Lines).Text);
    }

    [Fact]
    public async Task Unary_Probe_IsForDebuggingOnly()
    {
        await _interceptor.UnaryServerHandler(
            new HealthCheckRequest(), new FakeCall { Path = "/grpc.health.v1.Health/Check" }, (_, _) => Task.FromResult(new HealthCheckResponse()));

        Assert.Equal(LogLevel.Debug, Assert.Single(_log.Lines).Level);
    }

    private sealed class StillClock : TimeProvider
    {
        public override long GetTimestamp() => 0;
    }
}
