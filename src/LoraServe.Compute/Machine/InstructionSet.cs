using System.Runtime.Intrinsics.X86;
using LoraServe.Compute.Matrices;
using LoraServe.Compute.Vectors;

namespace LoraServe.Compute.Machine;

/// <summary>Which instructions the matrix kernels use here, chosen once at start.</summary>
public static class InstructionSet
{
    /// <summary>Such as <c>AVX-512</c> or <c>AVX2</c>; <c>portable</c> where no special ones are used.</summary>
    public static string Name { get; } =
        PanelLayout.DefaultLanes == 16 ? "AVX-512"
        : Simd256.HasDot ? "AVX2 with VNNI"
        : Avx2.IsSupported ? "AVX2"
        : "portable";
}
