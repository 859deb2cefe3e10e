using System.Runtime.InteropServices;

namespace LoraServe.Compute.Kernels.Panels;

/// <summary>32 consecutive activations of a row as integers: value ≈ Scale · code.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct ActivationBlock
{
    /// <summary>Signed codes, ±127 for 4-bit weights and ±63 for 8-bit ones.</summary>
    public fixed sbyte Codes[32];

    /// <summary>What a code counts.</summary>
    public float Scale;

    /// <summary>−(zero point of the weights' codes) · Σ codes, where the dot product of codes starts from.</summary>
    public int Offset;

    /// <summary>Scale · Σ codes, which multiplies the weights' minimum.</summary>
    public float Sum;

    private readonly int _padding;
}
