using Grpc.Core;
using LoraServe.Server.Errors;
using LoraServe.Serving;
using Microsoft.Extensions.Logging;
using Proto = LoraServe.V1;

namespace LoraServe.Server.Tests.Errors;

public sealed class ErrorInterceptorTests
{
    private readonly RecordedLog<ErrorInterceptor> _log = new();

    [Fact]
    public async Task Unary_FaultOfTheServer_IsLoggedAndHiddenFromTheCaller()
    {
        RpcException status = await FailAsync(new InvalidOperationException("secret"), new FakeCall());

        Assert.Equal(StatusCode.Internal, status.StatusCode);
        Assert.DoesNotContain("secret", status.Status.Detail, StringComparison.Ordinal);
        (LogLevel level, string text, Exception? exception) = Assert.Single(_log.Lines);
        Assert.Equal((LogLevel.Error, "secret"), (level, exception?.Message));
        Assert.Contains("/loraserve.v1.Inference/Generate", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Unary_Refusal_IsNotLogged()
    {
        RpcException status = await FailAsync(new EngineException(EngineError.UnknownAdapter, "none"), new FakeCall());

        Assert.Equal(StatusCode.NotFound, status.StatusCode);
        Assert.Empty(_log.Lines);
    }

    [Theory]
    [InlineData(1, StatusCode.DeadlineExceeded)]
    [InlineData(9_999, StatusCode.Cancelled)]
    public async Task Unary_CancelledCall_IsPastItsDeadlineOrCancelled(int deadlineYear, StatusCode expected)
    {
        var call = new FakeCall { Cancelled = new CancellationToken(canceled: true), Until = new DateTime(deadlineYear, 1, 1, 0, 0, 0, DateTimeKind.Utc) };

        Assert.Equal(expected, (await FailAsync(new OperationCanceledException(), call)).StatusCode);
    }

    [Fact]
    public async Task Streams_FailLikeUnaryCalls()
    {
        var interceptor = new ErrorInterceptor(_log);
        var failure = new EngineException(EngineError.QueueFull, "full");

        RpcException server = await Assert.ThrowsAsync<RpcException>(() => interceptor.ServerStreamingServerHandler<Proto.GenerateRequest, Proto.GenerateChunk>(
            new Proto.GenerateRequest(), null!, new FakeCall(), (_, _, _) => Task.FromException(failure)));
        RpcException client = await Assert.ThrowsAsync<RpcException>(() => interceptor.ClientStreamingServerHandler<Proto.UploadAdapterRequest, Proto.LoadAdapterResponse>(
            null!, new FakeCall(), (_, _) => Task.FromException<Proto.LoadAdapterResponse>(failure)));
        RpcException both = await Assert.ThrowsAsync<RpcException>(() => interceptor.DuplexStreamingServerHandler<Proto.GenerateRequest, Proto.GenerateChunk>(
            null!, null!, new FakeCall(), (_, _, _) => Task.FromException(failure)));

        Assert.All([server, client, both], status => Assert.Equal(StatusCode.ResourceExhausted, status.StatusCode));
    }

    private Task<RpcException> FailAsync(Exception failure, ServerCallContext call) =>
        Assert.ThrowsAsync<RpcException>(() => new ErrorInterceptor(_log).UnaryServerHandler<Proto.GenerateRequest, Proto.GenerateResponse>(
            new Proto.GenerateRequest(), call, (_, _) => Task.FromException<Proto.GenerateResponse>(failure)));
}
