using Grpc.Core;

namespace LoraServe.Grpc.Client;

/// <summary>What local failures mean as statuses.</summary>
internal static class ClientFailure
{
    public static CallEnd EndOf(Exception exception, bool cancelled, bool deadlineExceeded) => exception switch
    {
        RpcException rpc => new CallEnd(rpc.Status, rpc.Trailers),
        { InnerException: RpcException rpc } => new CallEnd(rpc.Status, rpc.Trailers),
        _ when deadlineExceeded => End(StatusCode.DeadlineExceeded, "The deadline passed before the call was complete.", exception),
        _ when cancelled => End(StatusCode.Cancelled, "The call was cancelled.", exception),
        HttpProtocolException protocol => End(CodeOf(protocol.ErrorCode), exception),
        { InnerException: HttpProtocolException protocol } => End(CodeOf(protocol.ErrorCode), exception),
        HttpRequestException or IOException => End(StatusCode.Unavailable, exception),
        OperationCanceledException => End(StatusCode.Unavailable, "The connection broke while the request was being sent.", exception), // which ends the body, cancelled by nobody
        _ => End(StatusCode.Internal, exception),
    };

    private static CallEnd End(StatusCode code, Exception exception) =>
        End(code, exception.InnerException is { } inner ? $"{exception.Message} {inner.Message}" : exception.Message, exception);

    private static CallEnd End(StatusCode code, string detail, Exception exception) => new(new Status(code, detail, exception), Metadata.Empty);

    /// <summary>The code for an HTTP/2 error that ended the stream, as the protocol defines it.</summary>
    private static StatusCode CodeOf(long http2Error) => http2Error switch
    {
        7 => StatusCode.Unavailable, // REFUSED_STREAM
        8 => StatusCode.Cancelled, // CANCEL
        11 => StatusCode.ResourceExhausted, // ENHANCE_YOUR_CALM
        12 => StatusCode.PermissionDenied, // INADEQUATE_SECURITY
        _ => StatusCode.Internal,
    };
}
