namespace Grpc.Core;

/// <summary>Reads streams the usual .NET way.</summary>
public static class AsyncStreamReaderExtensions
{
    /// <summary>All remaining messages of the stream.</summary>
    /// <exception cref="RpcException">The call failed.</exception>
    public static async IAsyncEnumerable<T> ReadAllAsync<T>(
        this IAsyncStreamReader<T> streamReader,
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(streamReader);
        while (await streamReader.MoveNext(cancellationToken).ConfigureAwait(false))
        {
            yield return streamReader.Current;
        }
    }
}
