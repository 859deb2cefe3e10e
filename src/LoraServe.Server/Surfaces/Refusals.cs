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

    /// <summary>A kind's names: the status of gRPC, and that of HTTP as google.rpc.Code pairs them.</summary>
    public static (StatusCode Grpc, int Http) NamesOf(EngineError kind) => kind switch
    {
        EngineError.InvalidRequest or EngineError.InvalidSampling or EngineError.EmptyPrompt or EngineError.PromptTooLong
            or EngineError.InvalidAdapterName or EngineError.AdapterRefused or EngineError.InvalidUpload or EngineError.PathRefused => (StatusCode.InvalidArgument, 400),
        EngineError.AdapterTooLarge or EngineError.Unsupported => (StatusCode.FailedPrecondition, 400),
        EngineError.Unauthenticated => (StatusCode.Unauthenticated, 401),
        EngineError.PermissionDenied => (StatusCode.PermissionDenied, 403),
        EngineError.UnknownAdapter or EngineError.UnknownJob or EngineError.UnknownUpload => (StatusCode.NotFound, 404),
        EngineError.AdapterExists => (StatusCode.AlreadyExists, 409),
        EngineError.VersionConflict => (StatusCode.Aborted, 409),
        EngineError.QueueFull => (StatusCode.ResourceExhausted, 429),
        EngineError.ShuttingDown or EngineError.AdapterUnavailable or EngineError.StorageFailed => (StatusCode.Unavailable, 503),
        EngineError.DeadlineExceeded => (StatusCode.DeadlineExceeded, 504),
        _ => (StatusCode.Internal, 500),
    };
}
