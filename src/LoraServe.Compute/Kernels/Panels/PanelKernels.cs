using System.Collections.Immutable;
using System.Runtime.Intrinsics;
using LoraServe.Compute.Matrices;
using LoraServe.Compute.Memory;
using LoraServe.Compute.Vectors;

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

    /// <summary>The fastest on this machine.</summary>
    public static PanelKernels Default { get; } = Of(PanelLayout.DefaultLanes);

    /// <summary>Outputs of a panel.</summary>
    public abstract int Lanes { get; }

    /// <summary>The kernels that read a matrix.</summary>
    public static PanelKernels Of(PackedMatrix m) => Of(m.Lanes);

    /// <summary>Multiplies float32 rows with the panels that hold the target's columns.</summary>
    public abstract void MultiplyFloats(PackedMatrix m, Rows x, in TileTarget target);

    /// <summary>Multiplies <paramref name="rowCount"/> rounded rows with the panels that hold the target's columns.</summary>
    public abstract void MultiplyIntegers(PackedMatrix m, ActivationBlock* x, int rowCount, in TileTarget target);

    /// <summary>Computes a piece of c (+)= scale · a · b.</summary>
    public abstract void MultiplyAdd(in GemmOperand a, in GemmOperand b, Rows c, float scale, bool adds, GemmPiece piece);

    private static PanelKernels Of(int lanes) => All[lanes == Simd512.Lanes ? 0 : 1];
}
