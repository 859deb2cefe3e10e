using System.Collections.Immutable;

namespace LoraServe.Compute.Tensors;

/// <summary>The table of all stored types. Readers, writers, messages and packing ask it; nothing else knows one type from another.</summary>
internal static class StoredFormats
{
    private static readonly CodeForm s_nibbles = new(4);
    private static readonly CodeForm s_nibblesWithMinimum = new(4, HasMinimum: true);
    private static readonly CodeForm s_fiveBits = new(5);
    private static readonly CodeForm s_fiveBitsWithMinimum = new(5, HasMinimum: true);
    private static readonly CodeForm s_bytes = new(8);
    private static readonly CodeForm s_levels = new(4, HasLevels: true);

    /// <summary>Every type, in the order of <see cref="ElementType"/>.</summary>
    public static ImmutableArray<StoredFormat> All { get; } =
    [
        StoredFormat.Plain(ElementType.F32, 4, PlainElements.Singles) with { GgufId = 0, Dtypes = ["F32"], IsWeight = true, Encode = PlainEncoding.Singles },
        StoredFormat.Plain(ElementType.F16, 2, PlainElements.Halves) with { GgufId = 1, Dtypes = ["F16"], IsWeight = true, Halves = [0], Encode = PlainEncoding.Halves },
        StoredFormat.Plain(ElementType.BF16, 2, PlainElements.BFloats) with { GgufId = 30, Dtypes = ["BF16"], IsWeight = true, Encode = PlainEncoding.BFloats },
        StoredFormat.Plain(ElementType.F64, 8, PlainElements.Numbers<double>) with { GgufId = 28, Dtypes = ["F64"] },
        StoredFormat.Plain(ElementType.U8, 1, PlainElements.Numbers<byte>) with { Dtypes = ["U8", "BOOL"], IsInteger = true },
        StoredFormat.Plain(ElementType.I8, 1, PlainElements.Numbers<sbyte>) with { GgufId = 24, Dtypes = ["I8"], IsInteger = true },
        StoredFormat.Plain(ElementType.I16, 2, PlainElements.Numbers<short>) with { GgufId = 25, Dtypes = ["I16"], IsInteger = true },
        StoredFormat.Plain(ElementType.I32, 4, PlainElements.Numbers<int>) with { GgufId = 26, Dtypes = ["I32"], IsInteger = true },
        StoredFormat.Plain(ElementType.I64, 8, PlainElements.Numbers<long>) with { GgufId = 27, Dtypes = ["I64"], IsInteger = true },
        StoredFormat.Blocks(ElementType.Q8_0, 32, 34, s_bytes, GgmlBlocks.ReadQ8_0) with { GgufId = 8, Halves = [0], Encode = BlockEncoding.WriteQ8_0 },
        StoredFormat.Blocks(ElementType.Q4_0, 32, 18, s_nibbles, GgmlBlocks.ReadQ4_0) with { GgufId = 2, Halves = [0], Encode = BlockEncoding.WriteQ4_0 },
        StoredFormat.Blocks(ElementType.Q4_1, 32, 20, s_nibblesWithMinimum, GgmlBlocks.ReadQ4_1) with { GgufId = 3, Halves = [0, 2], Encode = BlockEncoding.WriteQ4_1 },
        StoredFormat.Blocks(ElementType.Q5_0, 32, 22, s_fiveBits, GgmlBlocks.ReadQ5_0) with { GgufId = 6, Halves = [0] },
        StoredFormat.Blocks(ElementType.Q5_1, 32, 24, s_fiveBitsWithMinimum, GgmlBlocks.ReadQ5_1) with { GgufId = 7, Halves = [0, 2] },
        StoredFormat.Blocks(ElementType.Q2_K, 256, 84, new CodeForm(2, HasMinimum: true, Factors: 2), KBlocks.ReadQ2_K) with { GgufId = 10, Halves = [80, 82] },
        StoredFormat.Blocks(ElementType.Q3_K, 256, 110, new CodeForm(3, Factors: 2), KBlocks.ReadQ3_K) with { GgufId = 11, Halves = [108] },
        StoredFormat.Blocks(ElementType.Q4_K, 256, 144, s_nibblesWithMinimum with { Factors = 1 }, KBlocks.ReadQ4_K) with { GgufId = 12, Halves = [0, 2], Encode = BlockEncoding.WriteQ4_K },
        StoredFormat.Blocks(ElementType.Q5_K, 256, 176, s_fiveBitsWithMinimum with { Factors = 1 }, KBlocks.ReadQ5_K) with { GgufId = 13, Halves = [0, 2] },
        StoredFormat.Blocks(ElementType.Q6_K, 256, 210, new CodeForm(6, Factors: 2), KBlocks.ReadQ6_K) with { GgufId = 14, Halves = [208], Encode = BlockEncoding.WriteQ6_K },
        StoredFormat.Blocks(ElementType.IQ4_NL, 32, 18, s_levels, Iq4Blocks.ReadIQ4_NL) with { GgufId = 20, Halves = [0] },
        StoredFormat.Blocks(ElementType.IQ4_XS, 256, 136, s_levels with { Factors = 1 }, Iq4Blocks.ReadIQ4_XS) with { GgufId = 23, Halves = [0] },
        StoredFormat.Plain(ElementType.F8_E4M3, 1, PlainElements.Eighths4) with { Dtypes = ["F8_E4M3"] },
        StoredFormat.Plain(ElementType.F8_E5M2, 1, PlainElements.Eighths5) with { Dtypes = ["F8_E5M2"] },
    ];

    /// <summary>The dtypes of safetensors that can be read, for messages.</summary>
    public static string Dtypes => string.Join(", ", All.SelectMany(format => format.Dtypes));

    /// <summary>A type's line.</summary>
    /// <exception cref="ArgumentOutOfRangeException">That is no element type.</exception>
    public static StoredFormat Of(ElementType type) =>
        (uint)type < (uint)All.Length ? All[(int)type] : throw new ArgumentOutOfRangeException(nameof(type), type, "not an element type");

    /// <summary>What a dtype of safetensors is read as; null where it is not supported.</summary>
    public static StoredFormat? FindDtype(string dtype) => All.FirstOrDefault(format => format.Dtypes.Contains(dtype));
}
