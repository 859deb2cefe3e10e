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
    public override float* Singles(byte* panel, int outputs, int inputs, float* widened)
    {
        int codeBytes = PanelLayout.BlockInputs / 2 * TSimd.Lanes;
        float* destination = widened;
        TInt mask = TSimd.BroadcastInt(15);
        fixed (float* levels = Nf4.Levels)
        {
            for (int block = 0; block < inputs / PanelLayout.BlockInputs; block++)
            {
                TFloat scale = TSimd.Load((float*)(panel + codeBytes));
                for (int half = 0; half < 8; half += 4)
                {
                    for (int group = 0; group < 4; group++)
                    {
                        TInt codes = TSimd.LoadBytes(panel + (group * 4 * TSimd.Lanes));
                        for (int shift = half; shift < 32; shift += 8, destination += TSimd.Lanes)
                        {
                            TInt code = TSimd.And(TSimd.ShiftRight(codes, shift), mask);
                            TSimd.Store(TSimd.Multiply(TSimd.LookUp(levels, code), scale), destination);
                        }
                    }
                }

                panel += codeBytes + (sizeof(float) * TSimd.Lanes);
            }
        }

        return widened;
    }
}
