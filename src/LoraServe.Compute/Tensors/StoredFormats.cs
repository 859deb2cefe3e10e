using System.Collections.Immutable;

namespace LoraServe.Compute.Tensors;

/// <summary>The table of all stored types. Readers, writers, messages and packing ask it; nothing else knows one type from another.</summary>
internal static class StoredFormats
{
    private static readonly CodeForm s_nibbles = new(4);
    private static readonly CodeForm s_nibblesWithMinimum = new(4, HasMinimum: true);
    private static readonly CodeForm s_bytes = new(8);

    /// <summary>Every type, in the order of <see cref="ElementType"/>.</summary>
    public static ImmutableArray<StoredFormat> All { get; } =
    [
        StoredFormat.Plain(ElementType.F32, 4, PlainElements.Singles) with { GgufId = 0, Dtypes = ["F32"], IsWeight = true },
        StoredFormat.Plain(ElementType.F16, 2, PlainElements.Halves) with { GgufId = 1, Dtypes = ["F16"], IsWeight = true, Halves = [0] },
        StoredFormat.Plain(ElementType.BF16, 2, PlainElements.BFloats) with { GgufId = 30, Dtypes = ["BF16"], IsWeight = true },
        StoredFormat.Plain(ElementType.F64, 8, PlainElements.Numbers<double>) with { GgufId = 28, Dtypes = ["F64"] },
        StoredFormat.Plain(ElementType.U8, 1, PlainElements.Numbers<byte>) with { Dtypes = ["U8", "BOOL"], IsInteger = true },
        StoredFormat.Plain(ElementType.I8, 1, PlainElements.Numbers<sbyte>) with { GgufId = 24, Dtypes = ["I8"], IsInteger = true },
        StoredFormat.Plain(ElementType.I16, 2, PlainElements.Numbers<short>) with { GgufId = 25, Dtypes = ["I16"], IsInteger = true },
        StoredFormat.Plain(ElementType.I32, 4, PlainElements.Numbers<int>) with { GgufId = 26, Dtypes = ["I32"], IsInteger = true },
        StoredFormat.Plain(ElementType.I64, 8, PlainElements.Numbers<long>) with { GgufId = 27, Dtypes = ["I64"], IsInteger = true },
        StoredFormat.Blocks(ElementType.Q8_0, 32, 34, s_bytes, GgmlBlocks.ReadQ8_0) with { GgufId = 8, Halves = [0] },
        StoredFormat.Blocks(ElementType.Q4_0, 32, 18, s_nibbles, GgmlBlocks.ReadQ4_0) with { GgufId = 2, Halves = [0] },
        StoredFormat.Blocks(ElementType.Q4_1, 32, 20, s_nibblesWithMinimum, GgmlBlocks.ReadQ4_1) with { GgufId = 3, Halves = [0, 2] },
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
