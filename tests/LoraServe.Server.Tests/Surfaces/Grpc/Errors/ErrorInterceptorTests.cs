using Grpc.Core;
using LoraServe.Jobs.Tests;
using LoraServe.Server.Surfaces.Grpc.Errors;
using LoraServe.Serving.Requests;
using Microsoft.Extensions.Hosting.Internal;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Proto = LoraServe.V1;

namespace LoraServe.Server.Tests.Surfaces.Grpc.Errors;

public sealed class ErrorInterceptorTests
{
    private readonly RecordedLog<ErrorInterceptor> _log = new();
    private readonly ApplicationLifetime _lifetime = new(NullLogger<ApplicationLifetime>.Instance);
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));

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

    [Fact]
    public async Task Unary_CallThatHasEnded_IsCancelledAndNotLogged()
    {
        var call = new FakeCall { Cancelled = new CancellationToken(canceled: true) };

        Assert.Equal(StatusCode.Cancelled, (await FailAsync(new OperationCanceledException(), call)).StatusCode);
        Assert.Equal(StatusCode.Cancelled, (await FailAsync(new InvalidOperationException("the request is complete"), call)).StatusCode);
        Assert.Equal(StatusCode.Cancelled, (await FailAsync(new IOException("reset"), call)).StatusCode);
        Assert.Empty(_log.Lines);
    }

    [Fact]
    public async Task Unary_CallThatTheServersStopEnds_IsUnavailable()
    {
        _lifetime.StopApplication();
        RpcException status = await FailAsync(new OperationCanceledException(), new FakeCall { Cancelled = _lifetime.ApplicationStopping });

        Assert.Equal(StatusCode.Unavailable, status.StatusCode);
        Assert.Contains("stopping", status.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Unary_DeadlineThatPasses_IsDeadlineExceeded()
    {
        var call = new FakeCall { Cancelled = new CancellationToken(canceled: true), Until = _time.GetUtcNow().UtcDateTime.AddSeconds(1) };
        RpcException status = await Assert.ThrowsAsync<RpcException>(() => Interceptor().UnaryServerHandler<Proto.GenerateRequest, Proto.GenerateResponse>(
            new Proto.GenerateRequest(), call, (_, _) =>
            {
                _time.Advance(TimeSpan.FromSeconds(1));
                throw new OperationCanceledException();
            }));

        Assert.Equal(StatusCode.DeadlineExceeded, status.StatusCode);
    }

    [Fact]
    public async Task Unary_DeadlineThatHasPassedAlready_NeverReachesTheService()
    {
        var call = new FakeCall { Until = _time.GetUtcNow().UtcDateTime };
        RpcException status = await Assert.ThrowsAsync<RpcException>(() => Interceptor().UnaryServerHandler<Proto.GenerateRequest, Proto.GenerateResponse>(
            new Proto.GenerateRequest(), call, (_, _) => throw new InvalidOperationException("reached")));

        Assert.Equal(StatusCode.DeadlineExceeded, status.StatusCode);
        Assert.Empty(_log.Lines);
    }

    [Fact]
    public async Task Streams_FailLikeUnaryCalls()
    {
        ErrorInterceptor interceptor = Interceptor();
        var failure = new EngineException(EngineError.QueueFull, "full");

        RpcException server = await Assert.ThrowsAsync<RpcException>(() => interceptor.ServerStreamingServerHandler<Proto.GenerateRequest, Proto.GenerateChunk>(
            new Proto.GenerateRequest(), null!, new FakeCall(), (_, _, _) => Task.FromException(failure)));
        RpcException client = await Assert.ThrowsAsync<RpcException>(() => interceptor.ClientStreamingServerHandler<Proto.UploadAdapterRequest, Proto.LoadAdapterResponse>(
            null!, new FakeCall(), (_, _) => Task.FromException<Proto.LoadAdapterResponse>(failure)));
        RpcException both = await Assert.ThrowsAsync<RpcException>(() => interceptor.DuplexStreamingServerHandler<Proto.GenerateRequest, Proto.GenerateChunk>(
            null!, null!, new FakeCall(), (_, _, _) => Task.FromException(failure)));

        Assert.All([server, client, both], status => Assert.Equal(StatusCode.ResourceExhausted, status.StatusCode));
    }

    private ErrorInterceptor Interceptor() => new(_lifetime, _log, _time);

    private Task<RpcException> FailAsync(Exception failure, ServerCallContext call) =>
        Assert.ThrowsAsync<RpcException>(() => Interceptor().UnaryServerHandler<Proto.GenerateRequest, Proto.GenerateResponse>(
            new Proto.GenerateRequest(), call, (_, _) => Task.FromException<Proto.GenerateResponse>(failure)));
}
