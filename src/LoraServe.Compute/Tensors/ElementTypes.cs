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

    /// <summary>The types that <see cref="Encode"/> writes.</summary>
    public static ImmutableArray<ElementType> Encodable { get; } = [.. StoredFormats.All.Where(format => format.Encode is not null).Select(format => format.Type)];

    /// <summary>Stores values as near as the type comes.</summary>
    /// <param name="type">One of <see cref="Encodable"/>.</param>
    /// <param name="values">Finite values: whole blocks.</param>
    /// <param name="importance">How much an error of each value counts, at least 0; empty where all count alike.</param>
    /// <param name="destination">Gets the bytes of that many elements.</param>
    /// <exception cref="ArgumentException">The type is not written, or a length does not fit.</exception>
    public static void Encode(this ElementType type, ReadOnlySpan<float> values, ReadOnlySpan<float> importance, Span<byte> destination)
    {
        StoredFormat format = StoredFormats.Of(type);
        ElementEncoder encode = format.Encode ?? throw new ArgumentException($"{type} is not written; expected one of {string.Join(", ", Encodable)}", nameof(type));
        if (values.Length % format.BlockElements != 0 || destination.Length != type.ByteLength(values.Length) || (!importance.IsEmpty && importance.Length != values.Length))
        {
            throw new ArgumentException($"{values.Length} values with {importance.Length} weights do not make {destination.Length} bytes of {type}", nameof(values));
        }

        encode(values, importance, destination);
    }

    /// <summary>What the codes of a block type mean; null for types that store each element by itself.</summary>
    public static CodeTable? Codes(this ElementType type) => CodeTable.Of(StoredFormats.Of(type));

    /// <summary>Whether the elements are whole numbers.</summary>
    public static bool IsInteger(this ElementType type) => StoredFormats.Of(type).IsInteger;
}
