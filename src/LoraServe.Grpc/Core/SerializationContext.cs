using System.Buffers;

namespace Grpc.Core;

/// <summary>Where a marshaller puts the bytes of one message: either <see cref="Complete(byte[])"/>, or the buffer writer and then <see cref="Complete()"/>.</summary>
public abstract class SerializationContext
{
    /// <summary>Gives the whole message as one array.</summary>
    public abstract void Complete(byte[] payload);

    /// <summary>The buffer that the message is written into.</summary>
    public abstract IBufferWriter<byte> GetBufferWriter();

    /// <summary>Announces the message's size in bytes, before anything is written.</summary>
    public abstract void SetPayloadLength(int payloadLength);

    /// <summary>Says that the buffer now has the whole message.</summary>
    public abstract void Complete();
}
