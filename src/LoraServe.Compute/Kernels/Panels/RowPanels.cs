using System.Runtime.CompilerServices;
using LoraServe.Compute.Matrices;
using LoraServe.Compute.Vectors;

namespace LoraServe.Compute.Kernels.Panels;

/// <summary><see cref="PanelFormat.Rows"/>: float32 rows, put in order where they are used.</summary>
internal sealed unsafe class RowPanels<TSimd, TFloat, TInt> : FormatKernels
    where TSimd : struct, ISimd<TFloat, TInt>
    where TFloat : unmanaged
    where TInt : unmanaged
{
    // The last row fills the lanes that are left.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override float* Singles(byte* panel, int outputs, int inputs, float* widened)
    {
        float* rows = (float*)panel;
        for (int lane = 0; lane < TSimd.Lanes; lane += 4)
        {
            float* row = rows + ((nint)lane * inputs);
            int k = 0;
            for (; lane + 4 <= outputs && k + 4 <= inputs; k += 4)
            {
                GemmPacking<TSimd, TFloat, TInt>.Transpose(row + k, inputs, widened + ((nint)k * TSimd.Lanes) + lane, TSimd.Lanes);
            }

            for (; k < inputs; k++)
            {
                for (int i = lane; i < lane + 4; i++)
                {
                    widened[((nint)k * TSimd.Lanes) + i] = rows[((nint)Math.Min(i, outputs - 1) * inputs) + k];
                }
            }
        }

        return widened;
    }
}
