using Grpc.Core;
using LoraServe.Grpc.Wire;

namespace LoraServe.Grpc.Client;

/// <summary>The requests of a call.</summary>
internal sealed class ClientStreamWriter<TRequest, TResponse>(ClientCall<TRequest, TResponse> call, StreamContent content) : IClientStreamWriter<TRequest>
    where TRequest : class
    where TResponse : class
{
    private int _isWriting;
    private bool _isComplete;

    public WriteOptions? WriteOptions { get; set; } = call.WriteOptions;

    public Task WriteAsync(TRequest message) => WriteAsync(message, CancellationToken.None);

    public async Task WriteAsync(TRequest message, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(message);
        if (_isComplete)
        {
            throw new InvalidOperationException("The stream of requests is complete; nothing can be written to it.");
        }

        if (Interlocked.Exchange(ref _isWriting, 1) == 1)
        {
            throw new InvalidOperationException("A write to this stream is under way; await it before the next one.");
        }

        try
        {
            await WriteFrameAsync(message, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            Volatile.Write(ref _isWriting, 0);
        }
    }

    public Task CompleteAsync()
    {
        _isComplete = true;
        content.Complete();
        return Task.CompletedTask;
    }

    private async Task WriteFrameAsync(TRequest message, CancellationToken cancellationToken)
    {
        // A call that has ended takes no more requests; its users learn its status here.
        Task<CallEnd> end = call.WaitForEndAsync();
        if (await Task.WhenAny(content.Stream, end).ConfigureAwait(false) == end || end.IsCompleted)
        {
            throw call.ToException(await end.ConfigureAwait(false));
        }

        WriteFlags flags = WriteOptions?.Flags ?? WriteFlags.None;
        using var buffer = new MessageBuffer(call.MaxSendMessageSize);
        ReadOnlyMemory<byte> frame = buffer.Frame(message, call.RequestMarshaller, flags.HasFlag(WriteFlags.NoCompress) ? null : call.Gzip);
        using CancellationTokenSource? linked = cancellationToken.CanBeCanceled
            ? CancellationTokenSource.CreateLinkedTokenSource(call.CancellationToken, cancellationToken)
            : null;
        try
        {
            Stream stream = await content.Stream.ConfigureAwait(false);
            CancellationToken token = linked?.Token ?? call.CancellationToken;
            await stream.WriteAsync(frame, token).ConfigureAwait(false);
            if (!flags.HasFlag(WriteFlags.BufferHint))
            {
                await stream.FlushAsync(token).ConfigureAwait(false);
            }
        }
        catch (Exception e)
        {
            // The server may have ended the call while it was still being written to: its status says more than the broken stream.
            bool cancelled = cancellationToken.IsCancellationRequested || call.CancellationToken.IsCancellationRequested;
            throw call.ToException(await call.EndAfterFailedWriteAsync(e, cancelled).ConfigureAwait(false));
        }
    }
}
