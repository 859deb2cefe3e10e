using System.Collections.Immutable;

namespace LoraServe.Compute.Tensors;

/// <summary>Everything that this program knows about one <see cref="ElementType"/>.</summary>
internal sealed record StoredFormat
{
    // Null where the values are made of codes.
    private readonly ElementDecoder? _decode;

    private StoredFormat(ElementType type, int blockElements, int blockBytes, ElementDecoder? decode)
    {
        Type = type;
        BlockElements = blockElements;
        BlockBytes = blockBytes;
        _decode = decode;
    }

    /// <summary>Whose line this is.</summary>
    public ElementType Type { get; }

    /// <summary>Elements in a block; 1 for types that are not block types.</summary>
    public int BlockElements { get; }

    /// <summary>Bytes of a block.</summary>
    public int BlockBytes { get; }

    /// <summary>GGUF's number of the type (ggml.h, enum ggml_type); its name there is that of <see cref="Type"/>. Null where GGUF lacks it.</summary>
    public uint? GgufId { get; init; }

    /// <summary>The dtypes of safetensors that are read as this type; the first is written. None where safetensors lacks it.</summary>
    public ImmutableArray<string> Dtypes { get; init; } = [];

    /// <summary>Whether the elements are whole numbers.</summary>
    public bool IsInteger { get; init; }

    /// <summary>Whether a model's weights may have it.</summary>
    public bool IsWeight { get; init; }

    /// <summary>Where in a block the half-precision numbers lie that scales are made of.</summary>
    public ImmutableArray<int> Halves { get; init; } = [];

    /// <summary>What the codes of a block type mean, which decides the panels that hold them; the default where there are no codes.</summary>
    public CodeForm Codes { get; private init; }

    /// <summary>Takes groups of codes out of blocks; null where there are no codes.</summary>
    public GroupReader? ReadGroup { get; private init; }

    /// <summary>Writes whole blocks; null where that is not done here.</summary>
    public ElementEncoder? Encode { get; init; }

    /// <summary>A type that stores each element by itself.</summary>
    public static StoredFormat Plain(ElementType type, int bytes, ElementDecoder decode) => new(type, 1, bytes, decode);

    /// <summary>A type that stores blocks of one group of codes or more.</summary>
    public static StoredFormat Blocks(ElementType type, int elements, int bytes, CodeForm codes, GroupReader readGroup) =>
        new(type, elements, bytes, null) { IsWeight = true, Codes = codes, ReadGroup = readGroup };

    /// <summary>Turns whole blocks into as many float32 values as <paramref name="destination"/> holds, exactly as the format defines them.</summary>
    /// <remarks>Only F64, I32 and I64 can round.</remarks>
    public void Decode(ReadOnlySpan<byte> source, Span<float> destination)
    {
        if (_decode is not null)
        {
            _decode(source, destination);
            return;
        }

        Span<byte> codes = stackalloc byte[CodeForm.GroupElements];
        for (; destination.Length > 0; source = source[BlockBytes..])
        {
            for (int group = 0; group < BlockElements / CodeForm.GroupElements; group++, destination = destination[CodeForm.GroupElements..])
            {
                GroupScales scales = ReadGroup!(source[..BlockBytes], group, codes);
                Codes.Decode(codes, scales, destination[..CodeForm.GroupElements]);
            }
        }
    }

    /// <summary>Writes the codes of whole blocks, and the scale and minimum of each run of them, where the spans are not empty.</summary>
    public void TakeApart(ReadOnlySpan<byte> source, Span<byte> codes, Span<float> scales, Span<float> minima)
    {
        Span<byte> unwanted = stackalloc byte[CodeForm.GroupElements];
        int runs = Math.Max(Codes.Factors, 1);
        for (int group = 0; source.Length > 0; source = source[BlockBytes..])
        {
            for (int i = 0; i < BlockElements / CodeForm.GroupElements; i++, group++)
            {
                GroupScales of = ReadGroup!(source[..BlockBytes], i, codes.IsEmpty ? unwanted : codes.Slice(group * CodeForm.GroupElements, CodeForm.GroupElements));
                for (int run = 0; run < runs; run++)
                {
                    GroupFactors factors = run == 0 ? of.Lower : of.Upper;
                    if (!scales.IsEmpty)
                    {
                        scales[(group * runs) + run] = of.Scale * factors.Scale;
                    }

                    if (!minima.IsEmpty)
                    {
                        minima[(group * runs) + run] = of.Minimum * factors.Minimum;
                    }
                }
            }
        }
    }

    /// <summary>Whether no half-precision number among the blocks is infinite or NaN: kernels have no case for those.</summary>
    public unsafe bool HalvesAreFinite(byte* blocks, long byteLength)
    {
        foreach (int place in Halves)
        {
            for (byte* half = blocks + place, end = blocks + byteLength; half < end; half += BlockBytes)
            {
                if (!Half.IsFinite(*(Half*)half))
                {
                    return false;
                }
            }
        }

        return true;
    }
}
