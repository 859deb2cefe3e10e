using System.Buffers;
using System.Buffers.Binary;
using System.IO.Compression;
using System.IO.Pipelines;
using Google.Protobuf;
using Grpc.Core;

namespace LoraServe.Grpc.Wire;

/// <summary>
/// Takes messages out of a body as it arrives. A length prefix reserves nothing: memory grows with the bytes that
/// really come, and never past the limit. One read at a time.
/// </summary>
/// <typeparam name="T">The message.</typeparam>
internal sealed class MessageReader<T>(PipeReader body, Marshaller<T> marshaller, int? maxMessageSize, string? encoding)
    where T : class
{
    private readonly PayloadContext _payload = new();

    /// <summary>The next message; null at the end of the body.</summary>
    /// <exception cref="RpcException">RESOURCE_EXHAUSTED for a message over the limit; INTERNAL for anything else that is not gRPC.</exception>
    public async ValueTask<T?> ReadAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            ReadResult result = await body.ReadAsync(cancellationToken).ConfigureAwait(false);
            if (result.IsCanceled)
            {
                throw new OperationCanceledException();
            }

            ReadOnlySequence<byte> buffer = result.Buffer;
            if (TryTake(ref buffer, out T? message))
            {
                body.AdvanceTo(buffer.Start);
                return message;
            }

            if (result.IsCompleted)
            {
                bool empty = buffer.IsEmpty;
                body.AdvanceTo(buffer.Start);
                return empty ? null : throw GrpcProtocol.Error(StatusCode.Internal, "The stream ended in the middle of a message.");
            }

            body.AdvanceTo(buffer.Start, buffer.End);
        }
    }

    private bool TryTake(ref ReadOnlySequence<byte> buffer, out T? message)
    {
        message = null;
        if (buffer.Length < GrpcProtocol.FrameHeaderLength)
        {
            return false;
        }

        Span<byte> header = stackalloc byte[GrpcProtocol.FrameHeaderLength];
        buffer.Slice(0, GrpcProtocol.FrameHeaderLength).CopyTo(header);
        uint length = BinaryPrimitives.ReadUInt32BigEndian(header[1..]);
        if (header[0] > 1)
        {
            throw GrpcProtocol.Error(StatusCode.Internal, $"A message frame starts with {header[0]}; expected 0 (plain) or 1 (compressed).");
        }

        if (length > (maxMessageSize ?? int.MaxValue))
        {
            throw GrpcProtocol.Error(StatusCode.ResourceExhausted, $"A received message of {length} bytes exceeds the limit of {maxMessageSize ?? int.MaxValue} bytes.");
        }

        if (buffer.Length - GrpcProtocol.FrameHeaderLength < length)
        {
            return false;
        }

        ReadOnlySequence<byte> payload = buffer.Slice(GrpcProtocol.FrameHeaderLength, length);
        message = header[0] == 1 ? Decompress(payload) : Parse(payload);
        buffer = buffer.Slice(payload.End);
        return true;
    }

    private T Parse(ReadOnlySequence<byte> payload)
    {
        _payload.Payload = payload;
        try
        {
            return marshaller.ContextualDeserializer(_payload);
        }
        catch (InvalidProtocolBufferException e)
        {
            throw GrpcProtocol.Error(StatusCode.Internal, $"A received message is not a valid {typeof(T).Name}: {e.Message}", e);
        }
        finally
        {
            _payload.Payload = default;
        }
    }

    private T Decompress(ReadOnlySequence<byte> payload)
    {
        if (encoding != GrpcProtocol.GzipEncoding)
        {
            throw GrpcProtocol.Error(StatusCode.Internal, "A message is marked as compressed, but no grpc-encoding was announced.");
        }

        int limit = Math.Min(maxMessageSize ?? int.MaxValue, Array.MaxLength - 1);
        byte[] plain = ArrayPool<byte>.Shared.Rent(4096);
        try
        {
            using var gzip = new GZipStream(PipeReader.Create(payload).AsStream(), CompressionMode.Decompress);
            int size = 0;
            while (gzip.Read(plain, size, plain.Length - size) is > 0 and int read)
            {
                size += read;
                if (size > limit)
                {
                    throw GrpcProtocol.Error(StatusCode.ResourceExhausted, $"A received message exceeds the limit of {limit} bytes when decompressed.");
                }

                if (size == plain.Length)
                {
                    byte[] larger = ArrayPool<byte>.Shared.Rent((int)Math.Min(2L * size, Array.MaxLength));
                    plain.CopyTo(larger, 0);
                    ArrayPool<byte>.Shared.Return(plain);
                    plain = larger;
                }
            }

            return Parse(new ReadOnlySequence<byte>(plain, 0, size));
        }
        catch (InvalidDataException e)
        {
            throw GrpcProtocol.Error(StatusCode.Internal, "A message is marked as compressed, but is not valid gzip.", e);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(plain);
        }
    }

    private sealed class PayloadContext : DeserializationContext
    {
        public ReadOnlySequence<byte> Payload { get; set; }

        public override int PayloadLength => (int)Payload.Length;

        public override byte[] PayloadAsNewBuffer() => Payload.ToArray();

        public override ReadOnlySequence<byte> PayloadAsReadOnlySequence() => Payload;
    }
}
