using Grpc.Core;
using LoraServe.Adapters;
using LoraServe.Serving.Requests;
using LoraServe.Templates;
using LoraServe.Training.Data;
using LoraServe.Training.Options;

namespace LoraServe.Server.Surfaces;

/// <summary>What callers are told of failures: which are refusals, and what each surface calls each kind of them.</summary>
internal static class Refusals
{
    /// <summary>The refusal that a failure is; null for a fault of the server, whose details are not the caller's business.</summary>
    public static EngineException? Of(Exception failure) => failure switch
    {
        EngineException refusal => refusal,
        AdapterFormatException or TrainingOptionsException or TrainingDataException or TemplateException => new EngineException(EngineError.InvalidRequest, failure.Message, failure),
        _ => null,
    };

    /// <summary>A kind's names: the status of gRPC, that of HTTP as google.rpc.Code pairs them, and OpenAI's code where its clients look at one.</summary>
    public static (StatusCode Grpc, int Http, string? OpenAi) NamesOf(EngineError kind) => kind switch
    {
        EngineError.InvalidRequest or EngineError.InvalidSampling or EngineError.EmptyPrompt or EngineError.InvalidAdapterName
            or EngineError.AdapterRefused or EngineError.InvalidUpload or EngineError.PathRefused => (StatusCode.InvalidArgument, 400, null),
        EngineError.PromptTooLong => (StatusCode.InvalidArgument, 400, "context_length_exceeded"),
        EngineError.AdapterTooLarge or EngineError.Unsupported => (StatusCode.FailedPrecondition, 400, null),
        EngineError.Unauthenticated => (StatusCode.Unauthenticated, 401, "invalid_api_key"),
        EngineError.PermissionDenied => (StatusCode.PermissionDenied, 403, "permission_denied"),
        EngineError.UnknownAdapter => (StatusCode.NotFound, 404, "model_not_found"),
        EngineError.UnknownJob or EngineError.UnknownUpload => (StatusCode.NotFound, 404, null),
        EngineError.AdapterExists => (StatusCode.AlreadyExists, 409, null),
        EngineError.VersionConflict => (StatusCode.Aborted, 409, null),
        EngineError.QueueFull => (StatusCode.ResourceExhausted, 429, "rate_limit_exceeded"),
        EngineError.ShuttingDown or EngineError.AdapterUnavailable or EngineError.StorageFailed => (StatusCode.Unavailable, 503, null),
        EngineError.DeadlineExceeded => (StatusCode.DeadlineExceeded, 504, null),
        _ => (StatusCode.Internal, 500, null),
    };
}
