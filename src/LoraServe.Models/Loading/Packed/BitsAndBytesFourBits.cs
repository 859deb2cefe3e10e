using System.Text.Json;
using LoraServe.Compute.Files;
using LoraServe.Compute.Tensors;

namespace LoraServe.Models.Loading.Packed;

/// <summary>bitsandbytes' NF4 and FP4: two codes a byte, the first in the high half, blocks over the flattened matrix, scales that may be quantised themselves.</summary>
/// <remarks>The 16 levels and the 256 of nested scales are in the file; the values are rounded to the type that it names, as bitsandbytes does.</remarks>
internal sealed class BitsAndBytesFourBits : IPackedForm
{
    private const string State = "weight.quant_state.bitsandbytes__";
    private const int MaxStateBytes = 1 << 16;
    private static readonly string[] s_kinds = ["nf4", "fp4"];

    /// <inheritdoc />
    public IReadOnlyList<string> Parts { get; } =
        ["weight", "weight.absmax", "weight.quant_map", "weight.nested_absmax", "weight.nested_quant_map", .. s_kinds.Select(kind => State + kind)];

    /// <inheritdoc />
    public Tensor? Read(string path, PackedParts parts)
    {
        if (s_kinds.Select(kind => $"{path}.{State}{kind}").FirstOrDefault(name => parts.Find(name) is not null) is not { } name)
        {
            return null;
        }

        string weight = $"{path}.weight";
        Tensor stored = parts.Find(name)!;
        StateFields state = ReadState(parts, stored);
        (long outputs, long inputs) = state.Shape is [> 0 and <= int.MaxValue, > 0 and <= int.MaxValue] ? (state.Shape[0], state.Shape[1]) : throw parts.Wrong(stored, "a shape of outputs and inputs in it");
        long count = outputs * inputs;
        if (count > Array.MaxLength || state.BlockSize is < 1 or > 1 << 20)
        {
            throw parts.Wrong(stored, $"at most {Array.MaxLength} elements, in blocks of at most {1 << 20}");
        }

        long bytes = (count + 1) / 2;
        byte[] codes = (parts.Find(weight)?.Shape is [1, _] ? parts.Bytes(weight, 1, bytes) : parts.Bytes(weight, bytes, 1)).ToArray();
        float[] levels = parts.Floats($"{weight}.quant_map", 16);
        float[] scales = Scales(parts, weight, state, (count + state.BlockSize - 1) / state.BlockSize);
        float[] values = new float[count];
        Parallel.For(0, (int)outputs, row =>
        {
            long begin = row * inputs;
            for (long i = begin; i < begin + inputs; i++)
            {
                int code = i % 2 == 0 ? codes[i / 2] >> 4 : codes[i / 2] & 15;
                values[i] = Rounded(levels[code] * scales[i / state.BlockSize], state.Dtype);
            }
        });
        return PackedParts.Weight(path, values, outputs, inputs);
    }

    private static float[] Scales(PackedParts parts, string weight, StateFields state, long blocks)
    {
        if (state.NestedBlockSize is not { } nested)
        {
            return parts.Floats($"{weight}.absmax", blocks);
        }

        byte[] codes = parts.Bytes($"{weight}.absmax", blocks).ToArray();
        float[] map = parts.Floats($"{weight}.nested_quant_map", 256);
        float[] maxima = parts.Floats($"{weight}.nested_absmax", (blocks + nested - 1) / nested);
        return [.. codes.Select((code, block) => (map[code] * maxima[block / nested]) + state.NestedOffset)];
    }

    private static float Rounded(float value, string dtype) => dtype switch
    {
        "float16" => (float)(Half)value,
        "bfloat16" => RoundedToBFloat(value),
        _ => value,
    };

    // To the nearest, of two as near to the even one.
    private static float RoundedToBFloat(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        return BitConverter.UInt32BitsToSingle((bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF_0000);
    }

    private static unsafe StateFields ReadState(PackedParts parts, Tensor tensor)
    {
        if (tensor.Type != ElementType.U8 || tensor.ByteLength > MaxStateBytes)
        {
            throw parts.Wrong(tensor, "JSON as bytes");
        }

        try
        {
            using var document = JsonDocument.Parse(new ReadOnlySpan<byte>((void*)tensor.Data, (int)tensor.ByteLength).ToArray());
            JsonElement root = document.RootElement;
            bool isNested = root.TryGetProperty("nested_blocksize", out JsonElement nested);
            int? nestedBlock = isNested ? nested.GetInt32() : null;
            string dtype = root.TryGetProperty("dtype", out JsonElement type) ? type.GetString() ?? "" : "float32";
            float offset = isNested ? root.GetProperty("nested_offset").GetSingle() : 0;
            return nestedBlock is < 1 || dtype is not ("float32" or "float16" or "bfloat16") || !float.IsFinite(offset)
                ? throw parts.Wrong(tensor, "a dtype of float32, float16 or bfloat16, and a nested_blocksize of at least 1")
                : new StateFields([.. root.GetProperty("shape").EnumerateArray().Select(extent => extent.GetInt64())], root.GetProperty("blocksize").GetInt32(), dtype, nestedBlock, offset);
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException or KeyNotFoundException or FormatException)
        {
            throw parts.Wrong(tensor, $"JSON with shape, blocksize and dtype ({(broken is JsonException mistake ? JsonMistake.Describe(mistake) : "a field is missing or of another type")})");
        }
    }

    private sealed record StateFields(long[] Shape, int BlockSize, string Dtype, int? NestedBlockSize, float NestedOffset);
}
