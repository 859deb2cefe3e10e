using System.Runtime.CompilerServices;
using LoraServe.Compute.Matrices;
using LoraServe.Compute.Memory;
using LoraServe.Compute.Vectors;

namespace LoraServe.Compute.Kernels.Panels;

/// <summary>Panels of floating-point numbers.</summary>
internal sealed unsafe class FloatPanels<TSimd, TFloat, TInt, TFormat> : FormatKernels
    where TSimd : struct, ISimd<TFloat, TInt>
    where TFloat : unmanaged
    where TInt : unmanaged
    where TFormat : struct, IFloatFormat
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override float* Singles(PackedMatrix m, int panel, int first, int count, float* widened)
    {
        byte* start = m.Panel(panel) + ((nint)first * TFormat.Bytes * TSimd.Lanes);
        if (TFormat.Bytes == sizeof(float))
        {
            return (float*)start;
        }

        float* destination = widened;
        for (int k = 0; k < count; k++)
        {
            TSimd.Store(TFormat.Load<TSimd, TFloat, TInt>(start), destination);
            start += TFormat.Bytes * TSimd.Lanes;
            destination += TSimd.Lanes;
        }

        return widened;
    }

    [SkipLocalsInit]
    public override bool MultiplyEachRow(PackedMatrix m, Rows x, in TileTarget target)
    {
        float* tile = stackalloc float[4 * TSimd.Lanes];
        int last = (target.End - 1) / TSimd.Lanes;
        for (int panel = target.First / TSimd.Lanes; panel <= last; panel += 4)
        {
            for (int row = 0; row < x.Count; row++)
            {
                FloatTile<TSimd, TFloat, TInt>.RowByFourPanels<TFormat>(
                    m.Panel(panel), m.Panel(Math.Min(panel + 1, last)), m.Panel(Math.Min(panel + 2, last)), m.Panel(Math.Min(panel + 3, last)), m.Inputs, x[row], tile);
                TileWriting<TSimd, TFloat, TInt>.Write(target, row, 1, panel, Math.Min(4, last - panel + 1), tile, 4);
            }
        }

        return true;
    }
}
