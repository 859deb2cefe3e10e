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
            default:
                throw new ArgumentOutOfRangeException(nameof(format), format, "is float32 already");
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
        for (int block = 0; block < inputs / PanelLayout.BlockInputs; block++, destination += PanelLayout.BlockInputs * TSimd.Lanes)
        {
            int codeBytes = PanelLayout.BlockInputs * bits / 8 * TSimd.Lanes;
            TFloat scale = TSimd.LoadHalves((ushort*)(panel + codeBytes));
            TFloat minimum = TFormat.HasMinimum ? TSimd.LoadHalves((ushort*)(panel + codeBytes) + TSimd.Lanes) : default;
            for (int k = 0; k < PanelLayout.BlockInputs; k++)
            {
                // Input k is byte k % 4 of its group's lane; of nibbles, the upper half of the inputs are the high ones.
                int group = TFormat.IsNibbles ? k % 16 / 4 : k / 4;
                int shift = (k % 4 * 8) + (TFormat.IsNibbles && k >= 16 ? 4 : 0);
                TInt code = TSimd.And(TSimd.ShiftRight(TSimd.LoadBytes(panel + (group * 4 * TSimd.Lanes)), shift), mask);
                TFloat value = TSimd.Multiply(scale, TSimd.ToFloat(TSimd.AddInts(code, negativeZero)));
                TSimd.Store(TFormat.HasMinimum ? TSimd.Add(value, minimum) : value, destination + (k * TSimd.Lanes));
            }

            panel += codeBytes + ((TFormat.HasMinimum ? 4 : 2) * TSimd.Lanes);
        }
    }
}
