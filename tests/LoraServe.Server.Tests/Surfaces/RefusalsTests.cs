using Grpc.Core;
using LoraServe.Adapters;
using LoraServe.Server.Surfaces;
using LoraServe.Serving.Requests;
using LoraServe.Templates;
using LoraServe.Training.Options;

namespace LoraServe.Server.Tests.Surfaces;

public sealed class RefusalsTests
{
    /// <summary>What callers get for each way in which the engine refuses or fails.</summary>
    private static readonly Dictionary<EngineError, (StatusCode Grpc, int Http, string? OpenAi)> s_names = new()
    {
        [EngineError.InvalidRequest] = (StatusCode.InvalidArgument, 400, null),
        [EngineError.InvalidSampling] = (StatusCode.InvalidArgument, 400, null),
        [EngineError.EmptyPrompt] = (StatusCode.InvalidArgument, 400, null),
        [EngineError.PromptTooLong] = (StatusCode.InvalidArgument, 400, "context_length_exceeded"),
        [EngineError.InvalidAdapterName] = (StatusCode.InvalidArgument, 400, null),
        [EngineError.UnknownAdapter] = (StatusCode.NotFound, 404, "model_not_found"),
        [EngineError.UnknownJob] = (StatusCode.NotFound, 404, null),
        [EngineError.UnknownUpload] = (StatusCode.NotFound, 404, null),
        [EngineError.Unauthenticated] = (StatusCode.Unauthenticated, 401, "invalid_api_key"),
        [EngineError.AdapterExists] = (StatusCode.AlreadyExists, 409, null),
        [EngineError.VersionConflict] = (StatusCode.Aborted, 409, null),
        [EngineError.AdapterRefused] = (StatusCode.InvalidArgument, 400, null),
        [EngineError.AdapterTooLarge] = (StatusCode.FailedPrecondition, 400, null),
        [EngineError.AdapterUnavailable] = (StatusCode.Unavailable, 503, null),
        [EngineError.PermissionDenied] = (StatusCode.PermissionDenied, 403, "permission_denied"),
        [EngineError.StorageFailed] = (StatusCode.Unavailable, 503, null),
        [EngineError.PathRefused] = (StatusCode.InvalidArgument, 400, null),
        [EngineError.InvalidUpload] = (StatusCode.InvalidArgument, 400, null),
        [EngineError.QueueFull] = (StatusCode.ResourceExhausted, 429, "rate_limit_exceeded"),
        [EngineError.DeadlineExceeded] = (StatusCode.DeadlineExceeded, 504, null),
        [EngineError.ShuttingDown] = (StatusCode.Unavailable, 503, null),
        [EngineError.StepFailed] = (StatusCode.Internal, 500, null),
        [EngineError.Unsupported] = (StatusCode.FailedPrecondition, 400, null),
    };

    public static TheoryData<EngineError> Kinds => [.. Enum.GetValues<EngineError>()];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void NamesOf_EveryKind_AreTheTables(EngineError kind)
    {
        Assert.True(s_names.TryGetValue(kind, out (StatusCode Grpc, int Http, string? OpenAi) expected), $"{kind} has no row in this table: decide what each surface calls it.");

        Assert.Equal(expected, Refusals.NamesOf(kind));
    }

    [Fact]
    public void Of_WhatTheCallerSentWrong_IsAnInvalidRequest()
    {
        TemplateException template = Assert.Throws<TemplateException>(() => ChatTemplate.Parse("{{", "test"));

        Assert.All(
            new Exception[] { template, new AdapterFormatException("adapter_config.json: damaged"), new TrainingOptionsException("rank is 0") },
            wrong => Assert.Equal((EngineError.InvalidRequest, wrong.Message), (Refusals.Of(wrong)!.Error, Refusals.Of(wrong)!.Message)));
    }

    [Fact]
    public void Of_ARefusal_IsThatRefusal()
    {
        var refusal = new EngineException(EngineError.QueueFull, "full") { RetryAfter = TimeSpan.FromSeconds(1) };

        Assert.Same(refusal, Refusals.Of(refusal));
    }

    [Fact]
    public void Of_AFaultOfTheServer_IsNone() => Assert.Null(Refusals.Of(new InvalidOperationException("secret")));
}
