using System.Buffers;
using System.IO.Compression;
using System.IO.Pipelines;
using Grpc.Core;
using LoraServe.Grpc.Wire;

namespace LoraServe.Grpc.Server;

/// <summary>The responses of a call. A write is complete when the connection has taken it, so a slow client slows its handler down.</summary>
internal sealed class ServerStreamWriter<T>(HttpServerCallContext context, Marshaller<T> marshaller, int? maxMessageSize) : IServerStreamWriter<T>, IDisposable
{
    // How much may wait for a flush when the handler says that more follows.
    private const int BufferedBytes = 32 * 1024;

    private readonly MessageBuffer _buffer = new(maxMessageSize);
    private readonly PipeWriter _body = context.HttpContext.Response.BodyWriter;

    public WriteOptions? WriteOptions
    {
        get => context.WriteOptions;
        set => context.WriteOptions = value;
    }

    public Task WriteAsync(T message) => WriteAsync(message, CancellationToken.None);

    public Task WriteAsync(T message, CancellationToken cancellationToken)
    {
        WriteFlags flags = WriteOptions?.Flags ?? WriteFlags.None;
        ValueTask write = Write(message, flags, cancellationToken.CanBeCanceled ? cancellationToken : context.CancellationToken);
        if (!write.IsCompletedSuccessfully)
        {
            return write.AsTask();
        }

        write.GetAwaiter().GetResult();
        return Task.CompletedTask;
    }

    /// <summary>Writes the one response of a call that has one; it goes out together with the status.</summary>
    public ValueTask WriteSingleAsync(T message) =>
        Write(message, (WriteOptions?.Flags ?? WriteFlags.None) | WriteFlags.BufferHint, context.CancellationToken);

    public void Dispose() => _buffer.Dispose();

    private async ValueTask Write(T message, WriteFlags flags, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(message);
        cancellationToken.ThrowIfCancellationRequested();
        context.Lifetime.EnterWrite();
        try
        {
            context.SetHeaders();
            CompressionLevel? gzip = flags.HasFlag(WriteFlags.NoCompress) ? null : context.Gzip;
            _body.Write(_buffer.Frame(message, marshaller, gzip).Span);
            if (!flags.HasFlag(WriteFlags.BufferHint) || _body.UnflushedBytes > BufferedBytes)
            {
                await _body.FlushAsync(cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            context.Lifetime.ExitWrite();
        }
    }
}
