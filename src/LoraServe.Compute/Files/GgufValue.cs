namespace LoraServe.Compute.Files;

/// <summary>Where a metadata value lies in the file; checked, not yet decoded.</summary>
/// <param name="Type">Type of the value, of the elements for an array.</param>
/// <param name="IsArray">Whether it is an array.</param>
/// <param name="Count">Number of elements; 1 for a plain value.</param>
/// <param name="Offset">Byte in the file where the value or the first element starts.</param>
/// <param name="ByteLength">Bytes of the value or of all elements.</param>
internal readonly record struct GgufValue(GgufValueType Type, bool IsArray, long Count, long Offset, long ByteLength)
{
    /// <summary>The type in words, for messages.</summary>
    public string TypeName => IsArray ? $"array of {Count} {Type}" : Type.ToString();
}
