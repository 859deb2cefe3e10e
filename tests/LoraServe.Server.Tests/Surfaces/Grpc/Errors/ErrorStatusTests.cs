using Grpc.Core;
using LoraServe.Server.Surfaces.Grpc.Errors;
using LoraServe.Serving.Requests;

namespace LoraServe.Server.Tests.Surfaces.Grpc.Errors;

public sealed class ErrorStatusTests
{
    [Fact]
    public void Of_ARefusal_HasItsStatusAndKeepsItsMessage()
    {
        RpcException status = ErrorStatus.Of(new EngineException(EngineError.VersionConflict, "what was wrong"))!;

        Assert.Equal((StatusCode.Aborted, "what was wrong"), (status.StatusCode, status.Status.Detail));
        Assert.Empty(status.Trailers);
    }

    [Fact]
    public void Of_FullQueue_SaysInMillisecondsWhenToComeBack()
    {
        RpcException status = ErrorStatus.Of(new EngineException(EngineError.QueueFull, "full") { RetryAfter = TimeSpan.FromMilliseconds(250.4) })!;

        Assert.Equal("251", status.Trailers.GetValue(ErrorStatus.RetryHeader));
    }

    [Fact]
    public void Of_AFaultOfTheServer_IsNone() => Assert.Null(ErrorStatus.Of(new InvalidOperationException("secret")));
}
