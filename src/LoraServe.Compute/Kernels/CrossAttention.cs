using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using LoraServe.Compute.Memory;
using LoraServe.Compute.Vectors;

namespace LoraServe.Compute.Kernels;

/// <summary>Attention of a head's query to a few rows that are no part of its sequence, all of which it sees.</summary>
/// <remarks>The order of every sum depends on the query and those rows alone. They are few, so they stay in the cache from one query to the next.</remarks>
public static unsafe class CrossAttention
{
    /// <summary>Floats of scratch that <see cref="Run"/> takes; <see cref="Backward"/> takes twice as many.</summary>
    /// <param name="rows">Rows of keys, n.</param>
    public static int FloatsNeeded(int rows) => VectorMath.RoundUp(rows);

    /// <summary>output += weight · softmax(scale · q·Kᵀ)·V.</summary>
    /// <param name="query">K elements.</param>
    /// <param name="keys">[n, K], n above 0.</param>
    /// <param name="values">[n, K].</param>
    /// <param name="scale">Factor of the scores.</param>
    /// <param name="weight">Factor of the result.</param>
    /// <param name="scratch"><see cref="FloatsNeeded"/> floats.</param>
    /// <param name="output">K elements, added to.</param>
    public static void Run(float* query, Rows keys, Rows values, float scale, float weight, float* scratch, float* output)
    {
        Shares(query, keys, scale, scratch);
        for (int row = 0; row < values.Count; row++)
        {
            RowArithmetic.AddScaled(values[row], weight * scratch[row], output, values.Width);
        }
    }

    /// <summary>Adds the gradients of <see cref="Run"/> with respect to query, keys and values.</summary>
    /// <remarks>With P the shares and dP = weight · dOut·Vᵀ: dS = scale · P∘(dP − Σ P∘dP); dV += weight · P·dOut, dq += dS·K, dK += dS·q.</remarks>
    /// <param name="query">K elements.</param>
    /// <param name="keys">[n, K], n above 0.</param>
    /// <param name="values">[n, K].</param>
    /// <param name="scale">As in <see cref="Run"/>.</param>
    /// <param name="weight">As in <see cref="Run"/>.</param>
    /// <param name="dOutput">Gradient of the result, K elements.</param>
    /// <param name="scratch">Twice <see cref="FloatsNeeded"/> floats.</param>
    /// <param name="dQuery">K elements, added to; null where it is not wanted.</param>
    /// <param name="dKeys">[n, K], added to; no rows where it is not wanted.</param>
    /// <param name="dValues">[n, K], added to; no rows where it is not wanted.</param>
    public static void Backward(
        float* query, Rows keys, Rows values, float scale, float weight, float* dOutput, float* scratch, float* dQuery, Rows dKeys, Rows dValues)
    {
        float* shares = scratch;
        float* dScores = scratch + FloatsNeeded(keys.Count);
        Shares(query, keys, scale, shares);
        float mean = 0;
        for (int row = 0; row < keys.Count; row++)
        {
            dScores[row] = weight * Dot(dOutput, values[row], values.Width);
            mean += shares[row] * dScores[row];
        }

        for (int row = 0; row < keys.Count; row++)
        {
            float dScore = scale * shares[row] * (dScores[row] - mean);
            if (dQuery is not null)
            {
                RowArithmetic.AddScaled(keys[row], dScore, dQuery, keys.Width);
            }

            if (dKeys.Count > 0)
            {
                RowArithmetic.AddScaled(query, dScore, dKeys[row], keys.Width);
            }

            if (dValues.Count > 0)
            {
                RowArithmetic.AddScaled(dOutput, weight * shares[row], dValues[row], values.Width);
            }
        }
    }

    // softmax(scale · q·Kᵀ); what fills the last vector gets a share of 0.
    private static void Shares(float* query, Rows keys, float scale, float* shares)
    {
        int padded = VectorMath.RoundUp(keys.Count);
        float maximum = float.NegativeInfinity;
        for (int row = 0; row < keys.Count; row++)
        {
            shares[row] = scale * Dot(query, keys[row], keys.Width);
            maximum = shares[row] > maximum ? shares[row] : maximum;
        }

        new Span<float>(shares + keys.Count, padded - keys.Count).Fill(float.NegativeInfinity);
        Vector256<float> sum = Vector256<float>.Zero;
        for (int i = 0; i < padded; i += VectorMath.Lanes)
        {
            Vector256<float> share = VectorMath.Exp(Vector256.Load(shares + i) - Vector256.Create(maximum));
            sum += share;
            Vector256.Store(share, shares + i);
        }

        RowArithmetic.Multiply(shares, 1 / VectorMath.Sum(sum), shares, padded);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float Dot(float* x, float* y, int count)
    {
        Vector256<float> sums = Vector256<float>.Zero;
        int i = 0;
        for (; i <= count - VectorMath.Lanes; i += VectorMath.Lanes)
        {
            sums = VectorMath.MultiplyAdd(Vector256.Load(x + i), Vector256.Load(y + i), sums);
        }

        float sum = VectorMath.Sum(sums);
        for (; i < count; i++)
        {
            sum += x[i] * y[i];
        }

        return sum;
    }
}
