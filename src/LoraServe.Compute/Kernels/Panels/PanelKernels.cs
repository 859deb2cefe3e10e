using System.Collections.Immutable;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using LoraServe.Compute.Matrices;
using LoraServe.Compute.Memory;

namespace LoraServe.Compute.Kernels.Panels;

/// <summary>The panel kernels for one vector width.</summary>
internal abstract unsafe class PanelKernels
{
    /// <summary>Every width; all run on every machine.</summary>
    public static ImmutableArray<PanelKernels> All { get; } =
    [
        new PanelKernels<Simd512, Vector512<float>, Vector512<int>>(),
        new PanelKernels<Simd256, Vector256<float>, Vector256<int>>(),
    ];

    /// <summary>The fastest on this machine, chosen once: not 512 bits where they would slow the clock or are switched off.</summary>
    public static PanelKernels Default { get; } = All[Vector512.IsHardwareAccelerated && Avx512BW.IsSupported ? 0 : 1];

    /// <summary>Outputs of a panel.</summary>
    public abstract int Lanes { get; }

    /// <summary>Multiplies float32 rows with the panels that hold the target's columns.</summary>
    public abstract void MultiplyFloats(PackedMatrix m, Rows x, in TileTarget target);

    /// <summary>Multiplies <paramref name="rowCount"/> rounded rows with the panels that hold the target's columns.</summary>
    public abstract void MultiplyIntegers(PackedMatrix m, ActivationBlock* x, int rowCount, in TileTarget target);

    /// <summary>Computes a piece of c (+)= scale · a · b.</summary>
    public abstract void MultiplyAdd(in GemmOperand a, in GemmOperand b, Rows c, float scale, bool adds, GemmPiece piece);
}
