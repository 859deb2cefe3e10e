using System.Collections.Immutable;

namespace LoraServe.Compute.Tensors;

/// <summary>What can be asked of an <see cref="ElementType"/>; the answers are its line of <see cref="StoredFormats"/>.</summary>
public static class ElementTypes
{
    /// <summary>The types that a model's weights may have.</summary>
    public static ImmutableArray<ElementType> Weights { get; } = [.. StoredFormats.All.Where(format => format.IsWeight).Select(format => format.Type)];

    /// <summary>Elements in a block; 1 for types that are not block types. Rows are whole blocks.</summary>
    public static int BlockElements(this ElementType type) => StoredFormats.Of(type).BlockElements;

    /// <summary>Bytes of a block; of one element for types that are not block types.</summary>
    public static int BlockBytes(this ElementType type) => StoredFormats.Of(type).BlockBytes;

    /// <summary>Bytes of <paramref name="elements"/> elements, a whole number of blocks.</summary>
    /// <exception cref="OverflowException">More bytes than 63 bits count.</exception>
    public static long ByteLength(this ElementType type, long elements) => checked(elements / type.BlockElements() * type.BlockBytes());

    /// <summary>What the codes of a block type mean; null for types that store each element by itself.</summary>
    public static CodeTable? Codes(this ElementType type) => CodeTable.Of(StoredFormats.Of(type));

    /// <summary>Whether the elements are whole numbers.</summary>
    public static bool IsInteger(this ElementType type) => StoredFormats.Of(type).IsInteger;
}
