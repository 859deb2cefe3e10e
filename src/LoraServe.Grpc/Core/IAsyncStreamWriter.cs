namespace Grpc.Core;

/// <summary>The messages that go out on a stream. One write at a time: the task is complete when the peer's window has taken the message.</summary>
/// <typeparam name="T">The message.</typeparam>
public interface IAsyncStreamWriter<in T>
{
    /// <summary>How the next messages are written.</summary>
    WriteOptions? WriteOptions { get; set; }

    /// <summary>Writes a message.</summary>
    Task WriteAsync(T message);

    /// <summary>Writes a message, unless cancelled before it is out.</summary>
    Task WriteAsync(T message, CancellationToken cancellationToken);
}
