using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using LoraServe.Compute.Memory;
using LoraServe.Compute.Vectors;

namespace LoraServe.Compute.Kernels;

/// <summary>Normalises rows by their mean and deviation (Ba et al. 2016, arXiv:1607.06450).</summary>
public static unsafe class LayerNorm
{
    /// <summary>y[t] = (x[t] − mean) · gain / √(variance + epsilon) + bias, in float32.</summary>
    /// <param name="x">Input rows, [T, D].</param>
    /// <param name="gain">Gain of each column, [D].</param>
    /// <param name="bias">Summand of each column, [D].</param>
    /// <param name="epsilon">Added to the variance.</param>
    /// <param name="y">Output rows, [T, D]; may be the same memory as <paramref name="x"/>.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(Rows x, float* gain, float* bias, float epsilon, Rows y)
    {
        for (int t = 0; t < x.Count; t++)
        {
            float mean = Sum(x[t], x.Width) / x.Width;
            float factor = Factor(x[t], mean, x.Width, epsilon);
            float* from = x[t];
            float* to = y[t];
            int i = 0;
            Vector256<float> means = Vector256.Create(mean);
            Vector256<float> factors = Vector256.Create(factor);
            for (; i <= x.Width - VectorMath.Lanes; i += VectorMath.Lanes)
            {
                Vector256<float> normed = (Vector256.Load(from + i) - means) * factors;
                Vector256.Store((Vector256.Load(gain + i) * normed) + Vector256.Load(bias + i), to + i);
            }

            for (; i < x.Width; i++)
            {
                to[i] = (gain[i] * ((from[i] - mean) * factor)) + bias[i];
            }
        }
    }

    /// <summary>Adds the gradients of <see cref="Run"/> with respect to x and, if wanted, gains and biases.</summary>
    /// <remarks>With n = (x − mean)·f and g = gain∘dy: dx += f · (g − mean(g) − n·mean(g∘n)), dGain += Σ over rows of dy∘n, dBias += Σ of dy.</remarks>
    /// <param name="x">What was normalised, [T, D].</param>
    /// <param name="gain">[D].</param>
    /// <param name="epsilon">As in <see cref="Run"/>.</param>
    /// <param name="dy">Gradient of the output rows, [T, D].</param>
    /// <param name="dx">Gradient of the input rows, [T, D], added to; no memory of <paramref name="dy"/>.</param>
    /// <param name="dGain">Gradient of the gains, [D], added to; null where it and that of the biases are not wanted.</param>
    /// <param name="dBias">Gradient of the biases, [D], added to.</param>
    public static void Backward(Rows x, float* gain, float epsilon, Rows dy, Rows dx, float* dGain, float* dBias)
    {
        for (int t = 0; t < x.Count; t++)
        {
            float mean = Sum(x[t], x.Width) / x.Width;
            float factor = Factor(x[t], mean, x.Width, epsilon);
            (float sum, float dot) = (0, 0);
            for (int i = 0; i < x.Width; i++)
            {
                float pulled = gain[i] * dy[t][i];
                sum += pulled;
                dot += pulled * ((x[t][i] - mean) * factor);
            }

            (sum, dot) = (sum / x.Width, dot / x.Width);
            for (int i = 0; i < x.Width; i++)
            {
                float normed = (x[t][i] - mean) * factor;
                dx[t][i] += factor * ((gain[i] * dy[t][i]) - sum - (normed * dot));
                if (dGain is not null)
                {
                    dGain[i] += dy[t][i] * normed;
                    dBias[i] += dy[t][i];
                }
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float Sum(float* x, int width)
    {
        Vector256<float> sums = Vector256<float>.Zero;
        int i = 0;
        for (; i <= width - VectorMath.Lanes; i += VectorMath.Lanes)
        {
            sums += Vector256.Load(x + i);
        }

        float sum = VectorMath.Sum(sums);
        for (; i < width; i++)
        {
            sum += x[i];
        }

        return sum;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float Factor(float* x, float mean, int width, float epsilon)
    {
        Vector256<float> means = Vector256.Create(mean);
        Vector256<float> squares = Vector256<float>.Zero;
        int i = 0;
        for (; i <= width - VectorMath.Lanes; i += VectorMath.Lanes)
        {
            Vector256<float> centred = Vector256.Load(x + i) - means;
            squares = VectorMath.MultiplyAdd(centred, centred, squares);
        }

        float sum = VectorMath.Sum(squares);
        for (; i < width; i++)
        {
            sum += (x[i] - mean) * (x[i] - mean);
        }

        return 1f / MathF.Sqrt((sum / width) + epsilon);
    }
}
