using System.Runtime.CompilerServices;
using LoraServe.Compute.Vectors;

namespace LoraServe.Compute.Kernels.Panels;

/// <summary>The innermost products of a <see cref="Gemm"/>: c[r, …] (+)= scale · Σₖ rows[r][k · rowStep] · w[k · wStep …], every element one chain of multiply-adds.</summary>
/// <remarks>A tile has at least eight sums, as many as cover the latency of two multiply-adds a cycle. They all round an element the same way.</remarks>
internal static unsafe class GemmTile<TSimd, TFloat, TInt>
    where TSimd : struct, ISimd<TFloat, TInt>
    where TFloat : unmanaged
    where TInt : unmanaged
{
    /// <summary>Rows of the largest tile.</summary>
    public const int Rows = 6;

    /// <summary>Rows of the tile for what is left of them.</summary>
    public const int FewRows = 4;

    /// <summary>Rows of the tile that is one vector wide.</summary>
    public const int NarrowRows = 8;

    /// <summary>Six rows and two vectors of columns.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(float** rows, nint rowStep, float* w, nint wStep, int depth, float* c, nint cStride, float scale, bool adds)
    {
        // What is added to comes from a far cache, while the sums are computed.
        for (int row = 0; adds && row < Rows; row++)
        {
            TSimd.Prefetch((byte*)(c + (row * cStride)));
        }

        float* x0 = rows[0];
        float* x1 = rows[1];
        float* x2 = rows[2];
        float* x3 = rows[3];
        float* x4 = rows[4];
        float* x5 = rows[5];
        TFloat sum00 = default, sum01 = default;
        TFloat sum10 = default, sum11 = default;
        TFloat sum20 = default, sum21 = default;
        TFloat sum30 = default, sum31 = default;
        TFloat sum40 = default, sum41 = default;
        TFloat sum50 = default, sum51 = default;
        nint k = 0;
        for (float* end = w + (depth * wStep); w != end; w += wStep, k += rowStep)
        {
            TFloat weight0 = TSimd.Load(w);
            TFloat weight1 = TSimd.Load(w + TSimd.Lanes);
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
        Finish(sum00, sum01, c, scales, adds);
        Finish(sum10, sum11, c + cStride, scales, adds);
        Finish(sum20, sum21, c + (2 * cStride), scales, adds);
        Finish(sum30, sum31, c + (3 * cStride), scales, adds);
        Finish(sum40, sum41, c + (4 * cStride), scales, adds);
        Finish(sum50, sum51, c + (5 * cStride), scales, adds);
    }

    /// <summary>Four rows and two vectors of columns.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void RunFew(float** rows, nint rowStep, float* w, nint wStep, int depth, float* c, nint cStride, float scale, bool adds)
    {
        float* x0 = rows[0];
        float* x1 = rows[1];
        float* x2 = rows[2];
        float* x3 = rows[3];
        TFloat sum00 = default, sum01 = default;
        TFloat sum10 = default, sum11 = default;
        TFloat sum20 = default, sum21 = default;
        TFloat sum30 = default, sum31 = default;
        nint k = 0;
        for (float* end = w + (depth * wStep); w != end; w += wStep, k += rowStep)
        {
            TFloat weight0 = TSimd.Load(w);
            TFloat weight1 = TSimd.Load(w + TSimd.Lanes);
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
        }

        TFloat scales = TSimd.Broadcast(scale);
        Finish(sum00, sum01, c, scales, adds);
        Finish(sum10, sum11, c + cStride, scales, adds);
        Finish(sum20, sum21, c + (2 * cStride), scales, adds);
        Finish(sum30, sum31, c + (3 * cStride), scales, adds);
    }

    /// <summary>Eight rows and one vector of columns.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void RunNarrow(float** rows, nint rowStep, float* w, nint wStep, int depth, float* c, nint cStride, float scale, bool adds)
    {
        float* x0 = rows[0];
        float* x1 = rows[1];
        float* x2 = rows[2];
        float* x3 = rows[3];
        float* x4 = rows[4];
        float* x5 = rows[5];
        float* x6 = rows[6];
        float* x7 = rows[7];
        TFloat sum0 = default, sum1 = default, sum2 = default, sum3 = default;
        TFloat sum4 = default, sum5 = default, sum6 = default, sum7 = default;
        nint k = 0;
        for (float* end = w + (depth * wStep); w != end; w += wStep, k += rowStep)
        {
            TFloat weight = TSimd.Load(w);
            sum0 = TSimd.MultiplyAdd(weight, TSimd.Broadcast(x0[k]), sum0);
            sum1 = TSimd.MultiplyAdd(weight, TSimd.Broadcast(x1[k]), sum1);
            sum2 = TSimd.MultiplyAdd(weight, TSimd.Broadcast(x2[k]), sum2);
            sum3 = TSimd.MultiplyAdd(weight, TSimd.Broadcast(x3[k]), sum3);
            sum4 = TSimd.MultiplyAdd(weight, TSimd.Broadcast(x4[k]), sum4);
            sum5 = TSimd.MultiplyAdd(weight, TSimd.Broadcast(x5[k]), sum5);
            sum6 = TSimd.MultiplyAdd(weight, TSimd.Broadcast(x6[k]), sum6);
            sum7 = TSimd.MultiplyAdd(weight, TSimd.Broadcast(x7[k]), sum7);
        }

        TFloat scales = TSimd.Broadcast(scale);
        Finish(sum0, c, scales, adds);
        Finish(sum1, c + cStride, scales, adds);
        Finish(sum2, c + (2 * cStride), scales, adds);
        Finish(sum3, c + (3 * cStride), scales, adds);
        Finish(sum4, c + (4 * cStride), scales, adds);
        Finish(sum5, c + (5 * cStride), scales, adds);
        Finish(sum6, c + (6 * cStride), scales, adds);
        Finish(sum7, c + (7 * cStride), scales, adds);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Finish(TFloat first, TFloat second, float* c, TFloat scales, bool adds)
    {
        Finish(first, c, scales, adds);
        Finish(second, c + TSimd.Lanes, scales, adds);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Finish(TFloat sum, float* c, TFloat scales, bool adds) =>
        TSimd.Store(adds ? TSimd.MultiplyAdd(sum, scales, TSimd.Load(c)) : TSimd.Multiply(sum, scales), c);
}
