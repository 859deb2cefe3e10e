namespace LoraServe.Compute.Tensors;

/// <summary>How many elements and bytes the unit of storage of an <see cref="ElementType"/> has.</summary>
public static class ElementTypeLayout
{
    /// <summary>Elements in a block; 1 for types that are not block types. Rows are whole blocks.</summary>
    public static int BlockElements(this ElementType type) => type is ElementType.Q8_0 or ElementType.Q4_0 or ElementType.Q4_1 ? 32 : 1;

    /// <summary>Bytes of a block; of one element for types that are not block types.</summary>
    public static int BlockBytes(this ElementType type) => type switch
    {
        ElementType.U8 or ElementType.I8 => 1,
        ElementType.F16 or ElementType.BF16 or ElementType.I16 => 2,
        ElementType.F32 or ElementType.I32 => 4,
        ElementType.F64 or ElementType.I64 => 8,
        ElementType.Q8_0 => 34,
        ElementType.Q4_0 => 18,
        ElementType.Q4_1 => 20,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "not an element type"),
    };

    /// <summary>Bytes of <paramref name="elements"/> elements, a whole number of blocks.</summary>
    /// <exception cref="OverflowException">More bytes than 63 bits count.</exception>
    public static long ByteLength(this ElementType type, long elements) => checked(elements / type.BlockElements() * type.BlockBytes());
}
