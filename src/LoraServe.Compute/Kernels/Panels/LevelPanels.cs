using System.Runtime.CompilerServices;
using LoraServe.Compute.Matrices;
using LoraServe.Compute.Vectors;

namespace LoraServe.Compute.Kernels.Panels;

/// <summary><see cref="PanelFormat.Nf4"/>: nibbles that stand for values in a table.</summary>
internal sealed unsafe class LevelPanels<TSimd, TFloat, TInt> : FormatKernels
    where TSimd : struct, ISimd<TFloat, TInt>
    where TFloat : unmanaged
    where TInt : unmanaged
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override float* Singles(PackedMatrix m, int panel, int first, int count, float* widened)
    {
        int codeBytes = PanelLayout.GroupInputs / 2 * TSimd.Lanes;
        byte* start = m.Panel(panel) + m.Layout.PanelBytes(TSimd.Lanes, first);
        float* destination = widened;
        TInt mask = TSimd.BroadcastInt(15);
        fixed (float* levels = Nf4.Levels)
        {
            for (int block = 0; block < count / PanelLayout.GroupInputs; block++)
            {
                TFloat scale = TSimd.Load((float*)(start + codeBytes));
                for (int half = 0; half < 8; half += 4)
                {
                    for (int group = 0; group < 4; group++)
                    {
                        TInt codes = TSimd.LoadBytes(start + (group * 4 * TSimd.Lanes));
                        for (int shift = half; shift < 32; shift += 8, destination += TSimd.Lanes)
                        {
                            TInt code = TSimd.And(TSimd.ShiftRight(codes, shift), mask);
                            TSimd.Store(TSimd.Multiply(TSimd.LookUp(levels, code), scale), destination);
                        }
                    }
                }

                start += codeBytes + (sizeof(float) * TSimd.Lanes);
            }
        }

        return widened;
    }
}
