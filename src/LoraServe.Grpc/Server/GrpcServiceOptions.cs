using System.IO.Compression;
using LoraServe.Grpc.Wire;

namespace Grpc.AspNetCore.Server;

/// <summary>Settings of all gRPC services of an application.</summary>
public sealed class GrpcServiceOptions
{
    /// <summary>The largest message taken, in bytes after decompression; null for no limit. A larger one fails its call with RESOURCE_EXHAUSTED.</summary>
    public int? MaxReceiveMessageSize { get; set; } = GrpcProtocol.DefaultMaxReceiveMessageSize;

    /// <summary>The largest message sent, in bytes before compression; null for no limit.</summary>
    public int? MaxSendMessageSize { get; set; }

    /// <summary>Whether the message of an unexpected exception goes to the caller. For development: it may tell what callers should not know.</summary>
    public bool? EnableDetailedErrors { get; set; }

    /// <summary>How responses are compressed when the client takes it: "gzip", or null for not at all.</summary>
    public string? ResponseCompressionAlgorithm { get; set; }

    /// <summary>The effort of compressing responses; null for the fastest.</summary>
    public CompressionLevel? ResponseCompressionLevel { get; set; }

    /// <summary>Interceptors around every handler, the first of them outermost.</summary>
    public InterceptorCollection Interceptors { get; } = [];
}
