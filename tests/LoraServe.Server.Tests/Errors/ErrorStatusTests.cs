using Grpc.Core;
using LoraServe.Adapters;
using LoraServe.Server.Errors;
using LoraServe.Serving;
using LoraServe.Templates;

namespace LoraServe.Server.Tests.Errors;

public sealed class ErrorStatusTests
{
    /// <summary>What callers get for each way in which the engine refuses or fails.</summary>
    private static readonly Dictionary<EngineError, StatusCode> s_statuses = new()
    {
        [EngineError.InvalidRequest] = StatusCode.InvalidArgument,
        [EngineError.InvalidSampling] = StatusCode.InvalidArgument,
        [EngineError.EmptyPrompt] = StatusCode.InvalidArgument,
        [EngineError.PromptTooLong] = StatusCode.InvalidArgument,
        [EngineError.InvalidAdapterName] = StatusCode.InvalidArgument,
        [EngineError.UnknownAdapter] = StatusCode.NotFound,
        [EngineError.AdapterExists] = StatusCode.AlreadyExists,
        [EngineError.VersionConflict] = StatusCode.Aborted,
        [EngineError.AdapterRefused] = StatusCode.InvalidArgument,
        [EngineError.AdapterTooLarge] = StatusCode.FailedPrecondition,
        [EngineError.AdapterUnavailable] = StatusCode.Unavailable,
        [EngineError.PermissionDenied] = StatusCode.PermissionDenied,
        [EngineError.StorageFailed] = StatusCode.Unavailable,
        [EngineError.PathRefused] = StatusCode.InvalidArgument,
        [EngineError.InvalidUpload] = StatusCode.InvalidArgument,
        [EngineError.QueueFull] = StatusCode.ResourceExhausted,
        [EngineError.DeadlineExceeded] = StatusCode.DeadlineExceeded,
        [EngineError.ShuttingDown] = StatusCode.Unavailable,
        [EngineError.StepFailed] = StatusCode.Internal,
        [EngineError.Unsupported] = StatusCode.FailedPrecondition,
    };

    public static TheoryData<EngineError> Errors => [.. Enum.GetValues<EngineError>()];

    [Theory]
    [MemberData(nameof(Errors))]
    public void Of_EveryEngineError_HasItsStatusAndKeepsItsMessage(EngineError error)
    {
        Assert.True(s_statuses.TryGetValue(error, out StatusCode expected), $"{error} has no row in this table: decide which status callers get.");

        RpcException status = ErrorStatus.Of(new EngineException(error, "what was wrong"))!;

        Assert.Equal((expected, "what was wrong"), (status.StatusCode, status.Status.Detail));
        Assert.Empty(status.Trailers);
    }

    [Fact]
    public void Of_FullQueue_SaysInMillisecondsWhenToComeBack()
    {
        RpcException status = ErrorStatus.Of(new EngineException(EngineError.QueueFull, "full") { RetryAfter = TimeSpan.FromMilliseconds(250.4) })!;

        Assert.Equal("251", status.Trailers.GetValue(ErrorStatus.RetryHeader));
    }

    [Fact]
    public void Of_WhatTheCallerSentWrong_IsInvalidArgument()
    {
        TemplateException template = Assert.Throws<TemplateException>(() => ChatTemplate.Parse("{{", "test"));

        Assert.Equal(StatusCode.InvalidArgument, ErrorStatus.Of(template)!.StatusCode);
        Assert.Equal(StatusCode.InvalidArgument, ErrorStatus.Of(new AdapterFormatException("adapter_config.json: damaged"))!.StatusCode);
    }

    [Fact]
    public void Of_AStatus_IsThatStatus()
    {
        var known = new RpcException(new Status(StatusCode.PermissionDenied, "no"));

        Assert.Same(known, ErrorStatus.Of(known));
    }

    [Fact]
    public void Of_AFaultOfTheServer_IsNone() => Assert.Null(ErrorStatus.Of(new InvalidOperationException("secret")));
}
