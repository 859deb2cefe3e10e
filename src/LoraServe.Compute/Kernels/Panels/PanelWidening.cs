using System.Runtime.CompilerServices;
using LoraServe.Compute.Matrices;

namespace LoraServe.Compute.Kernels.Panels;

/// <summary>Turns a panel of any format into a float32 panel, exactly as the format defines the values.</summary>
internal static unsafe class PanelWidening<TSimd, TFloat, TInt>
    where TSimd : struct, ISimd<TFloat, TInt>
    where TFloat : unmanaged
    where TInt : unmanaged
{
    /// <summary>Widens <paramref name="panel"/> of <paramref name="inputs"/> inputs into <paramref name="destination"/>.</summary>
    public static void Widen(PanelFormat format, byte* panel, int inputs, float* destination)
    {
        switch (format)
        {
            case PanelFormat.F16:
                WidenFloats<HalfFormat>(panel, inputs, destination);
                break;
            case PanelFormat.BF16:
                WidenFloats<BFloatFormat>(panel, inputs, destination);
                break;
            case PanelFormat.U4:
                WidenBlocks<NibbleFormat>(panel, inputs, destination);
                break;
            case PanelFormat.U4WithMinimum:
                WidenBlocks<NibbleWithMinimumFormat>(panel, inputs, destination);
                break;
            case PanelFormat.U8:
                WidenBlocks<ByteFormat>(panel, inputs, destination);
                break;
            case PanelFormat.Nf4:
                WidenLevels(panel, inputs, destination);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(format), format, "is float32 already");
        }
    }

    /// <summary>Makes a panel of the rows of a matrix that is kept as such.</summary>
    /// <param name="rows">The rows, one after another.</param>
    /// <param name="rowCount">Number of rows; the last fills the lanes that are left.</param>
    /// <param name="inputs">Elements of a row.</param>
    /// <param name="destination">[inputs, lanes].</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Interleave(float* rows, int rowCount, int inputs, float* destination)
    {
        for (int lane = 0; lane < TSimd.Lanes; lane += 4)
        {
            float* row = rows + ((nint)lane * inputs);
            int k = 0;
            for (; lane + 4 <= rowCount && k + 4 <= inputs; k += 4)
            {
                GemmPacking<TSimd, TFloat, TInt>.Transpose(row + k, inputs, destination + ((nint)k * TSimd.Lanes) + lane, TSimd.Lanes);
            }

            for (; k < inputs; k++)
            {
                for (int i = lane; i < lane + 4; i++)
                {
                    destination[((nint)k * TSimd.Lanes) + i] = rows[((nint)Math.Min(i, rowCount - 1) * inputs) + k];
                }
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void WidenFloats<TFormat>(byte* panel, int inputs, float* destination)
        where TFormat : struct, IFloatFormat
    {
        for (int k = 0; k < inputs; k++)
        {
            TSimd.Store(TFormat.Load<TSimd, TFloat, TInt>(panel), destination);
            panel += TFormat.Bytes * TSimd.Lanes;
            destination += TSimd.Lanes;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void WidenBlocks<TFormat>(byte* panel, int inputs, float* destination)
        where TFormat : struct, IIntegerFormat
    {
        int bits = TFormat.IsNibbles ? 4 : 8;
        TInt mask = TSimd.BroadcastInt((1 << bits) - 1);
        TInt negativeZero = TSimd.BroadcastInt(TFormat.HasMinimum ? 0 : -(1 << (bits - 1)));
        for (int block = 0; block < inputs / PanelLayout.BlockInputs; block++)
        {
            int codeBytes = PanelLayout.BlockInputs * bits / 8 * TSimd.Lanes;
            TFloat scale = TSimd.LoadHalves((ushort*)(panel + codeBytes));
            TFloat minimum = TFormat.HasMinimum ? TSimd.LoadHalves((ushort*)(panel + codeBytes) + TSimd.Lanes) : default;

            // Four consecutive inputs are the bytes of a group's lanes; of nibbles, the low ones are the first half of the block.
            for (int half = 0; half < 8; half += bits)
            {
                for (int group = 0; group < bits; group++)
                {
                    TInt codes = TSimd.LoadBytes(panel + (group * 4 * TSimd.Lanes));
                    for (int shift = half; shift < 32; shift += 8, destination += TSimd.Lanes)
                    {
                        TInt code = TSimd.And(TSimd.ShiftRight(codes, shift), mask);
                        TFloat value = TSimd.Multiply(scale, TSimd.ToFloat(TSimd.AddInts(code, negativeZero)));
                        TSimd.Store(TFormat.HasMinimum ? TSimd.Add(value, minimum) : value, destination);
                    }
                }
            }

            panel += codeBytes + ((TFormat.HasMinimum ? 4 : 2) * TSimd.Lanes);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void WidenLevels(byte* panel, int inputs, float* destination)
    {
        TInt mask = TSimd.BroadcastInt(15);
        fixed (float* levels = Nf4.Levels)
        {
            for (int block = 0; block < inputs / PanelLayout.BlockInputs; block++)
            {
                TFloat scale = TSimd.Load((float*)(panel + PanelFormat.Nf4.CodeBytes(TSimd.Lanes)));
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

                panel += PanelFormat.Nf4.BlockBytes(TSimd.Lanes);
            }
        }
    }
}
