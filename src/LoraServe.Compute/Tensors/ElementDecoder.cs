using System.Numerics.Tensors;
using System.Runtime.InteropServices;

namespace LoraServe.Compute.Tensors;

/// <summary>Turns stored elements into float32, exactly as the formats define them.</summary>
/// <remarks>Block formats: ggml's; each product and sum is one float32 operation. Only F64, I32 and I64 can round.</remarks>
internal static class ElementDecoder
{
    /// <summary>Decodes <paramref name="destination"/>.Length elements, whole blocks for block types.</summary>
    public static void Decode(ElementType type, ReadOnlySpan<byte> source, Span<float> destination)
    {
        switch (type)
        {
            case ElementType.F32:
                MemoryMarshal.Cast<byte, float>(source).CopyTo(destination);
                break;
            case ElementType.F16:
                TensorPrimitives.ConvertToSingle(MemoryMarshal.Cast<byte, Half>(source), destination);
                break;
            case ElementType.BF16:
                DecodeBFloat16(MemoryMarshal.Cast<byte, ushort>(source), destination);
                break;
            case ElementType.Q8_0:
                DecodeQ8_0(source, destination);
                break;
            case ElementType.Q4_0:
                DecodeQ4_0(source, destination);
                break;
            case ElementType.Q4_1:
                DecodeQ4_1(source, destination);
                break;
            case ElementType.F64:
                TensorPrimitives.ConvertTruncating(MemoryMarshal.Cast<byte, double>(source), destination);
                break;
            case ElementType.U8:
                TensorPrimitives.ConvertTruncating(source, destination);
                break;
            case ElementType.I8:
                TensorPrimitives.ConvertTruncating(MemoryMarshal.Cast<byte, sbyte>(source), destination);
                break;
            case ElementType.I16:
                TensorPrimitives.ConvertTruncating(MemoryMarshal.Cast<byte, short>(source), destination);
                break;
            case ElementType.I32:
                TensorPrimitives.ConvertTruncating(MemoryMarshal.Cast<byte, int>(source), destination);
                break;
            case ElementType.I64:
                TensorPrimitives.ConvertTruncating(MemoryMarshal.Cast<byte, long>(source), destination);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(type), type, "not an element type");
        }
    }

    private static void DecodeBFloat16(ReadOnlySpan<ushort> source, Span<float> destination)
    {
        Span<uint> bits = MemoryMarshal.Cast<float, uint>(destination);
        for (int i = 0; i < bits.Length; i++)
        {
            bits[i] = (uint)source[i] << 16;
        }
    }

    private static void DecodeQ8_0(ReadOnlySpan<byte> source, Span<float> destination)
    {
        for (; destination.Length > 0; source = source[34..], destination = destination[32..])
        {
            float scale = (float)MemoryMarshal.Read<Half>(source);
            ReadOnlySpan<sbyte> values = MemoryMarshal.Cast<byte, sbyte>(source.Slice(2, 32));
            for (int i = 0; i < 32; i++)
            {
                destination[i] = scale * values[i];
            }
        }
    }

    private static void DecodeQ4_0(ReadOnlySpan<byte> source, Span<float> destination)
    {
        for (; destination.Length > 0; source = source[18..], destination = destination[32..])
        {
            float scale = (float)MemoryMarshal.Read<Half>(source);
            for (int i = 0; i < 16; i++)
            {
                byte pair = source[2 + i];
                destination[i] = scale * ((pair & 15) - 8);
                destination[i + 16] = scale * ((pair >> 4) - 8);
            }
        }
    }

    private static void DecodeQ4_1(ReadOnlySpan<byte> source, Span<float> destination)
    {
        for (; destination.Length > 0; source = source[20..], destination = destination[32..])
        {
            float scale = (float)MemoryMarshal.Read<Half>(source);
            float minimum = (float)MemoryMarshal.Read<Half>(source[2..]);
            for (int i = 0; i < 16; i++)
            {
                byte pair = source[4 + i];
                destination[i] = (scale * (pair & 15)) + minimum;
                destination[i + 16] = (scale * (pair >> 4)) + minimum;
            }
        }
    }
}
