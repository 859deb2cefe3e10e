using System.Runtime.InteropServices;

namespace LoraServe.Compute.Kernels.Panels;

/// <summary>32 consecutive activations of a row as integers: value ≈ Scale · code.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct ActivationBlock
{
    /// <summary>Signed codes, ±127, or ±63 beside weights of 8 bits.</summary>
    public fixed sbyte Codes[32];

    /// <summary>What a code counts.</summary>
    public float Scale;

    /// <summary>−Σ codes: times the zero point of the weights' codes, where the dot product of codes starts from.</summary>
    public int Offset;

    /// <summary>The same of the first 16.</summary>
    public int LowerOffset;

    /// <summary>Scale · Σ codes, which multiplies the weights' minimum.</summary>
    public float Sum;
}
