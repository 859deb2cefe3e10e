using System.Globalization;
using Grpc.Core;
using LoraServe.Adapters;
using LoraServe.Serving;
using LoraServe.Templates;
using LoraServe.Training;
using LoraServe.Training.Data;

namespace LoraServe.Server.Errors;

/// <summary>The one place that turns failures of the engine into gRPC statuses.</summary>
internal static class ErrorStatus
{
    /// <summary>Metadata that says after how many milliseconds a refused request may come back, as gRPC's retry policies read it.</summary>
    public const string RetryHeader = "grpc-retry-pushback-ms";

    /// <summary>The status that a caller gets; null for a fault of the server, whose details are not the caller's business.</summary>
    public static RpcException? Of(Exception exception) => exception switch
    {
        RpcException known => known,
        EngineException engine => Of(engine),
        AdapterFormatException adapter => new RpcException(new Status(StatusCode.InvalidArgument, adapter.Message)),
        TrainingOptionsException training => new RpcException(new Status(StatusCode.InvalidArgument, training.Message)),
        TrainingDataException data => new RpcException(new Status(StatusCode.InvalidArgument, data.Message)),
        TemplateException template => new RpcException(new Status(StatusCode.InvalidArgument, template.Message)),
        _ => null,
    };

    private static RpcException Of(EngineException exception)
    {
        var trailers = new Metadata();
        if (exception.RetryAfter is { } wait)
        {
            trailers.Add(RetryHeader, ((long)Math.Ceiling(wait.TotalMilliseconds)).ToString(CultureInfo.InvariantCulture));
        }

        return new RpcException(new Status(CodeOf(exception.Error), exception.Message), trailers);
    }

    private static StatusCode CodeOf(EngineError error) => error switch
    {
        EngineError.InvalidRequest or EngineError.InvalidSampling or EngineError.EmptyPrompt or EngineError.PromptTooLong
            or EngineError.InvalidAdapterName or EngineError.AdapterRefused or EngineError.InvalidUpload or EngineError.PathRefused => StatusCode.InvalidArgument,
        EngineError.UnknownAdapter or EngineError.UnknownJob or EngineError.UnknownUpload => StatusCode.NotFound,
        EngineError.PermissionDenied => StatusCode.PermissionDenied,
        EngineError.AdapterExists => StatusCode.AlreadyExists,
        EngineError.VersionConflict => StatusCode.Aborted,
        EngineError.AdapterTooLarge or EngineError.Unsupported => StatusCode.FailedPrecondition,
        EngineError.QueueFull => StatusCode.ResourceExhausted,
        EngineError.DeadlineExceeded => StatusCode.DeadlineExceeded,
        EngineError.ShuttingDown or EngineError.AdapterUnavailable or EngineError.StorageFailed => StatusCode.Unavailable,
        _ => StatusCode.Internal,
    };
}
