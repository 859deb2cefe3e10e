using Grpc.Core;
using LoraServe.Grpc.Wire;

namespace LoraServe.Grpc.Server;

/// <summary>The requests of a call.</summary>
internal sealed class ServerStreamReader<T>(HttpServerCallContext context, Marshaller<T> marshaller, int? maxMessageSize) : IAsyncStreamReader<T>
    where T : class
{
    private readonly MessageReader<T> _messages = new(context.HttpContext.Request.BodyReader, marshaller, maxMessageSize, context.RequestEncoding);
    private T? _current;

    public T Current => _current ?? throw new InvalidOperationException("There is no current message; MoveNext has not returned true.");

    public async Task<bool> MoveNext(CancellationToken cancellationToken)
    {
        if (!cancellationToken.CanBeCanceled)
        {
            cancellationToken = context.CancellationToken;
        }

        _current = await ReadAsync(cancellationToken).ConfigureAwait(false);
        return _current is not null;
    }

    /// <summary>The one request of a call that has one.</summary>
    public async ValueTask<T> ReadSingleAsync()
    {
        T request = await ReadAsync(context.CancellationToken).ConfigureAwait(false)
            ?? throw GrpcProtocol.Error(StatusCode.Internal, "The call has no request message; the method takes exactly one.");
        return await ReadAsync(context.CancellationToken).ConfigureAwait(false) is null
            ? request
            : throw GrpcProtocol.Error(StatusCode.Internal, "The call has more than one request message; the method takes exactly one.");
    }

    private async ValueTask<T?> ReadAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await _messages.ReadAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (IOException e)
        {
            // The connection or the stream is gone. RequestAborted follows, but maybe later than this.
            throw GrpcProtocol.Error(StatusCode.Cancelled, "The client went away.", e);
        }
    }
}
