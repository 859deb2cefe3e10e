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
    public override float* Singles(PackedMatrix m, int panel, int first, int count, float* widened)
    {
        float* rows = (float*)m.Panel(panel) + first;
        int outputs = m.PanelOutputs(panel);
        for (int lane = 0; lane < TSimd.Lanes; lane += 4)
        {
            float* row = rows + ((nint)lane * m.Inputs);
            int k = 0;
            for (; lane + 4 <= outputs && k + 4 <= count; k += 4)
            {
                GemmPacking<TSimd, TFloat, TInt>.Transpose(row + k, m.Inputs, widened + ((nint)k * TSimd.Lanes) + lane, TSimd.Lanes);
            }

            for (; k < count; k++)
            {
                for (int i = lane; i < lane + 4; i++)
                {
                    widened[((nint)k * TSimd.Lanes) + i] = rows[((nint)Math.Min(i, outputs - 1) * m.Inputs) + k];
                }
            }
        }

        return widened;
    }
}
