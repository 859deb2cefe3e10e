using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace LoraServe.Adapters.Edits;

/// <summary>A matrix that many edits, also of different adapters, refer to: equal values are resident once. Must not change.</summary>
public sealed class SharedMatrix(FloatMatrix values)
{
    private readonly Lazy<string> _digest = new(() =>
        $"{values.Rows}x{values.Columns}:{Convert.ToHexStringLower(SHA256.HashData(MemoryMarshal.AsBytes(values.Values.AsSpan())))}");

    /// <summary>Its elements.</summary>
    public FloatMatrix Values { get; } = values;

    /// <summary>What equal matrices have in common: shape and SHA-256 of the elements.</summary>
    public string Digest => _digest.Value;
}
