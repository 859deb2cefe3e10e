using System.Buffers;

namespace Grpc.Core;

/// <summary>The bytes of one received message, valid only while the marshaller runs.</summary>
public abstract class DeserializationContext
{
    /// <summary>The message's size in bytes.</summary>
    public abstract int PayloadLength { get; }

    /// <summary>A copy of the message's bytes.</summary>
    public abstract byte[] PayloadAsNewBuffer();

    /// <summary>The message's bytes where they lie.</summary>
    public abstract ReadOnlySequence<byte> PayloadAsReadOnlySequence();
}
