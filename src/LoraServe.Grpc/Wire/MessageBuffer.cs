using System.Buffers;
using System.Buffers.Binary;
using System.IO.Compression;
using Grpc.Core;

namespace LoraServe.Grpc.Wire;

/// <summary>
/// One outgoing message at a time, serialized behind room for its frame header, so that it leaves in one piece and
/// its length is what was really written. Reused for all messages of a call; not thread-safe.
/// </summary>
internal sealed class MessageBuffer(int? maxMessageSize) : SerializationContext, IBufferWriter<byte>, IDisposable
{
    private const int InitialSize = 512;

    // A stream of small messages keeps its buffer; one large message does not pin memory for the rest of the call.
    private const int KeptSize = 64 * 1024;

    private byte[] _buffer = [];
    private int _end;

    /// <summary>Serializes a message and returns its frame, valid until the next call.</summary>
    /// <exception cref="RpcException">RESOURCE_EXHAUSTED: the message is larger than the limit.</exception>
    public ReadOnlyMemory<byte> Frame<T>(T message, Marshaller<T> marshaller, CompressionLevel? gzip)
    {
        if (_buffer.Length > KeptSize)
        {
            Dispose();
        }

        _end = 0;
        EnsureRoom(GrpcProtocol.FrameHeaderLength);
        _end = GrpcProtocol.FrameHeaderLength;
        marshaller.ContextualSerializer(message, this);
        RequireWithinLimit(_end - GrpcProtocol.FrameHeaderLength);
        bool compress = gzip is not null && _end > GrpcProtocol.FrameHeaderLength;
        if (compress)
        {
            Compress(gzip!.Value);
        }

        _buffer[0] = compress ? (byte)1 : (byte)0;
        BinaryPrimitives.WriteUInt32BigEndian(_buffer.AsSpan(1), (uint)(_end - GrpcProtocol.FrameHeaderLength));
        return _buffer.AsMemory(0, _end);
    }

    public override void SetPayloadLength(int payloadLength)
    {
        RequireWithinLimit(payloadLength);
        EnsureRoom(payloadLength);
    }

    public override IBufferWriter<byte> GetBufferWriter() => this;

    public override void Complete()
    {
    }

    public override void Complete(byte[] payload) => this.Write(payload);

    public void Advance(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, _buffer.Length - _end);
        _end += count;
    }

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        EnsureRoom(Math.Max(sizeHint, 1));
        return _buffer.AsMemory(_end);
    }

    public Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    public void Dispose()
    {
        if (_buffer.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = [];
        }
    }

    private void Compress(CompressionLevel level)
    {
        byte[] plain = _buffer;
        int plainEnd = _end;
        _buffer = [];
        _end = GrpcProtocol.FrameHeaderLength;
        try
        {
            using var gzip = new GZipStream(new BufferWriterStream(this), level);
            gzip.Write(plain, GrpcProtocol.FrameHeaderLength, plainEnd - GrpcProtocol.FrameHeaderLength);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(plain);
        }
    }

    private void RequireWithinLimit(int size)
    {
        if (size > maxMessageSize)
        {
            throw GrpcProtocol.Error(StatusCode.ResourceExhausted, $"Sending a message of {size} bytes exceeds the limit of {maxMessageSize} bytes.");
        }
    }

    private void EnsureRoom(int count)
    {
        long needed = (long)_end + count;
        if (needed <= _buffer.Length)
        {
            return;
        }

        long size = Math.Min(Math.Max(needed, Math.Max(InitialSize, 2L * _buffer.Length)), Array.MaxLength);
        if (size < needed)
        {
            throw GrpcProtocol.Error(StatusCode.ResourceExhausted, "The message is larger than a buffer can be.");
        }

        byte[] larger = ArrayPool<byte>.Shared.Rent((int)size);
        if (_buffer.Length > 0)
        {
            _buffer.AsSpan(0, _end).CopyTo(larger);
            ArrayPool<byte>.Shared.Return(_buffer);
        }

        _buffer = larger;
    }
}
