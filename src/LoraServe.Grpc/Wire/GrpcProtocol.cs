using Grpc.Core;

namespace LoraServe.Grpc.Wire;

/// <summary>The names that gRPC over HTTP/2 gives things on the wire.</summary>
internal static class GrpcProtocol
{
    public const string ContentType = "application/grpc";
    public const string StatusHeader = "grpc-status";
    public const string MessageHeader = "grpc-message";
    public const string StatusDetailsHeader = "grpc-status-details-bin";
    public const string RetryPushbackHeader = "grpc-retry-pushback-ms";
    public const string TimeoutHeader = "grpc-timeout";
    public const string EncodingHeader = "grpc-encoding";
    public const string AcceptEncodingHeader = "grpc-accept-encoding";

    /// <summary>Metadata with which a caller or handler chooses its own side's compression; never sent.</summary>
    public const string EncodingRequestHeader = "grpc-internal-encoding-request";

    public const string IdentityEncoding = "identity";
    public const string GzipEncoding = "gzip";
    public const string AcceptedEncodings = "identity,gzip";

    /// <summary>The frame ahead of every message: one flag byte, then its length as four bytes, highest first.</summary>
    public const int FrameHeaderLength = 5;

    public const int DefaultMaxReceiveMessageSize = 4 * 1024 * 1024;

    /// <summary>Whether a content type is gRPC with any message format: "application/grpc", "application/grpc+proto".</summary>
    public static bool IsGrpcContentType(string? contentType) =>
        contentType is not null
        && contentType.StartsWith(ContentType, StringComparison.OrdinalIgnoreCase)
        && (contentType.Length == ContentType.Length || contentType[ContentType.Length] is '+' or ';');

    /// <summary>Whether a peer that lists these encodings takes gzip.</summary>
    public static bool AcceptsGzip(string? acceptEncoding)
    {
        foreach (Range part in acceptEncoding.AsSpan().Split(','))
        {
            if (acceptEncoding.AsSpan()[part].Trim().Equals(GzipEncoding, StringComparison.OrdinalIgnoreCase))
            {
                return true;
            }
        }

        return false;
    }

    public static RpcException Error(StatusCode code, string detail, Exception? cause = null) => new(new Status(code, detail, cause));
}
