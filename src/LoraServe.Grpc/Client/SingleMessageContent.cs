using System.IO.Compression;
using System.Net;
using Grpc.Core;
using LoraServe.Grpc.Wire;

namespace LoraServe.Grpc.Client;

/// <summary>A request body of one message.</summary>
internal sealed class SingleMessageContent<T>(T message, Marshaller<T> marshaller, int? maxMessageSize, CompressionLevel? gzip) : HttpContent
{
    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        using var buffer = new MessageBuffer(maxMessageSize);
        await stream.WriteAsync(buffer.Frame(message, marshaller, gzip), cancellationToken).ConfigureAwait(false);
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override bool TryComputeLength(out long length)
    {
        length = -1;
        return false;
    }
}
