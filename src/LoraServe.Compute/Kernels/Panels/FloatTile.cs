using System.Runtime.CompilerServices;
using LoraServe.Compute.Vectors;

namespace LoraServe.Compute.Kernels.Panels;

/// <summary>Products of float32 activation rows with float panels: every output is one chain of multiply-adds over the inputs in order, or four for narrow matrices.</summary>
internal static unsafe class FloatTile<TSimd, TFloat, TInt>
    where TSimd : struct, ISimd<TFloat, TInt>
    where TFloat : unmanaged
    where TInt : unmanaged
{
    // Far enough ahead to cover memory latency at one core's share of bandwidth.
    private const int PrefetchBytes = 1024;

    /// <summary>One row and four panels, widened as they are read: tile[panel · lanes + lane].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void RowByFourPanels<TFormat>(byte* w0, byte* w1, byte* w2, byte* w3, int inputs, float* x, float* tile)
        where TFormat : struct, IFloatFormat
    {
        TFloat sum0 = default;
        TFloat sum1 = default;
        TFloat sum2 = default;
        TFloat sum3 = default;
        int step = TFormat.Bytes * TSimd.Lanes;
        nint place = 0;
        for (float* end = x + inputs; x < end; x++, place += step)
        {
            TFloat value = TSimd.Broadcast(*x);
            sum0 = TSimd.MultiplyAdd(TFormat.Load<TSimd, TFloat, TInt>(w0 + place), value, sum0);
            sum1 = TSimd.MultiplyAdd(TFormat.Load<TSimd, TFloat, TInt>(w1 + place), value, sum1);
            sum2 = TSimd.MultiplyAdd(TFormat.Load<TSimd, TFloat, TInt>(w2 + place), value, sum2);
            sum3 = TSimd.MultiplyAdd(TFormat.Load<TSimd, TFloat, TInt>(w3 + place), value, sum3);
            TSimd.Prefetch(w0 + place + PrefetchBytes);
            TSimd.Prefetch(w1 + place + PrefetchBytes);
            TSimd.Prefetch(w2 + place + PrefetchBytes);
            TSimd.Prefetch(w3 + place + PrefetchBytes);
        }

        TSimd.Store(sum0, tile);
        TSimd.Store(sum1, tile + TSimd.Lanes);
        TSimd.Store(sum2, tile + (2 * TSimd.Lanes));
        TSimd.Store(sum3, tile + (3 * TSimd.Lanes));
    }

    /// <summary>Six rows and two float32 panels: y[row · stride + panel · lanes + lane], written, or added to with a scale.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void SixRowsByTwoPanels(
        float* w0, float* w1, int inputs, float* x0, float* x1, float* x2, float* x3, float* x4, float* x5, float* y, nint stride, float scale, bool adds)
    {
        // What is written comes from a far cache, while the sums are computed.
        for (int row = 0; row < 6; row++)
        {
            TSimd.Prefetch((byte*)(y + (row * stride)));
        }

        TFloat sum00 = default, sum01 = default;
        TFloat sum10 = default, sum11 = default;
        TFloat sum20 = default, sum21 = default;
        TFloat sum30 = default, sum31 = default;
        TFloat sum40 = default, sum41 = default;
        TFloat sum50 = default, sum51 = default;
        for (nint k = 0; k < inputs; k++)
        {
            TFloat weight0 = TSimd.Load(w0);
            TFloat weight1 = TSimd.Load(w1);
            w0 += TSimd.Lanes;
            w1 += TSimd.Lanes;
            TFloat value = TSimd.Broadcast(x0[k]);
            sum00 = TSimd.MultiplyAdd(weight0, value, sum00);
            sum01 = TSimd.MultiplyAdd(weight1, value, sum01);
            value = TSimd.Broadcast(x1[k]);
            sum10 = TSimd.MultiplyAdd(weight0, value, sum10);
            sum11 = TSimd.MultiplyAdd(weight1, value, sum11);
            value = TSimd.Broadcast(x2[k]);
            sum20 = TSimd.MultiplyAdd(weight0, value, sum20);
            sum21 = TSimd.MultiplyAdd(weight1, value, sum21);
            value = TSimd.Broadcast(x3[k]);
            sum30 = TSimd.MultiplyAdd(weight0, value, sum30);
            sum31 = TSimd.MultiplyAdd(weight1, value, sum31);
            value = TSimd.Broadcast(x4[k]);
            sum40 = TSimd.MultiplyAdd(weight0, value, sum40);
            sum41 = TSimd.MultiplyAdd(weight1, value, sum41);
            value = TSimd.Broadcast(x5[k]);
            sum50 = TSimd.MultiplyAdd(weight0, value, sum50);
            sum51 = TSimd.MultiplyAdd(weight1, value, sum51);
        }

        TFloat scales = TSimd.Broadcast(scale);
        Finish(sum00, sum01, y, scales, adds);
        Finish(sum10, sum11, y + stride, scales, adds);
        Finish(sum20, sum21, y + (2 * stride), scales, adds);
        Finish(sum30, sum31, y + (3 * stride), scales, adds);
        Finish(sum40, sum41, y + (4 * stride), scales, adds);
        Finish(sum50, sum51, y + (5 * stride), scales, adds);
    }

    /// <summary>
    /// Two rows and one float32 panel: tile[row · lanes + lane]. Four chains an output, input k in chain k mod 4, because one panel
    /// alone has too few chains to cover the latency of a multiply-add.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void TwoRowsInFourChains(float* w, int inputs, float* x0, float* x1, float* tile)
    {
        TFloat sum00 = default, sum01 = default, sum02 = default, sum03 = default;
        TFloat sum10 = default, sum11 = default, sum12 = default, sum13 = default;
        nint k = 0;
        for (; k + 4 <= inputs; k += 4, w += 4 * TSimd.Lanes)
        {
            TFloat weight = TSimd.Load(w);
            sum00 = TSimd.MultiplyAdd(weight, TSimd.Broadcast(x0[k]), sum00);
            sum10 = TSimd.MultiplyAdd(weight, TSimd.Broadcast(x1[k]), sum10);
            weight = TSimd.Load(w + TSimd.Lanes);
            sum01 = TSimd.MultiplyAdd(weight, TSimd.Broadcast(x0[k + 1]), sum01);
            sum11 = TSimd.MultiplyAdd(weight, TSimd.Broadcast(x1[k + 1]), sum11);
            weight = TSimd.Load(w + (2 * TSimd.Lanes));
            sum02 = TSimd.MultiplyAdd(weight, TSimd.Broadcast(x0[k + 2]), sum02);
            sum12 = TSimd.MultiplyAdd(weight, TSimd.Broadcast(x1[k + 2]), sum12);
            weight = TSimd.Load(w + (3 * TSimd.Lanes));
            sum03 = TSimd.MultiplyAdd(weight, TSimd.Broadcast(x0[k + 3]), sum03);
            sum13 = TSimd.MultiplyAdd(weight, TSimd.Broadcast(x1[k + 3]), sum13);
        }

        for (; k < inputs; k++, w += TSimd.Lanes)
        {
            TFloat weight = TSimd.Load(w);
            sum00 = TSimd.MultiplyAdd(weight, TSimd.Broadcast(x0[k]), sum00);
            sum10 = TSimd.MultiplyAdd(weight, TSimd.Broadcast(x1[k]), sum10);
        }

        TSimd.Store(TSimd.Add(TSimd.Add(sum00, sum01), TSimd.Add(sum02, sum03)), tile);
        TSimd.Store(TSimd.Add(TSimd.Add(sum10, sum11), TSimd.Add(sum12, sum13)), tile + TSimd.Lanes);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Finish(TFloat first, TFloat second, float* y, TFloat scales, bool adds)
    {
        TSimd.Store(adds ? TSimd.MultiplyAdd(first, scales, TSimd.Load(y)) : first, y);
        TSimd.Store(adds ? TSimd.MultiplyAdd(second, scales, TSimd.Load(y + TSimd.Lanes)) : second, y + TSimd.Lanes);
    }
}
