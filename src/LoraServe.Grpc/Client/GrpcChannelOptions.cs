using LoraServe.Grpc.Wire;

namespace Grpc.Net.Client;

/// <summary>Settings of a channel.</summary>
public sealed class GrpcChannelOptions
{
    /// <summary>What the channel sends its requests with, for instance a SocketsHttpHandler with its own SslOptions; null for a handler of the channel's own.</summary>
    public HttpMessageHandler? HttpHandler { get; set; }

    /// <summary>The client that the channel sends its requests with, instead of <see cref="HttpHandler"/>.</summary>
    public HttpClient? HttpClient { get; set; }

    /// <summary>Whether disposing the channel disposes the handler or client given here.</summary>
    public bool DisposeHttpClient { get; set; }

    /// <summary>The largest message taken, in bytes after decompression; null for no limit. A larger one fails its call with RESOURCE_EXHAUSTED.</summary>
    public int? MaxReceiveMessageSize { get; set; } = GrpcProtocol.DefaultMaxReceiveMessageSize;

    /// <summary>The largest message sent, in bytes before compression; null for no limit.</summary>
    public int? MaxSendMessageSize { get; set; }

    /// <summary>Whether a cancelled call throws OperationCanceledException instead of an RpcException with CANCELLED or DEADLINE_EXCEEDED.</summary>
    public bool ThrowOperationCanceledOnCancellation { get; set; }
}
