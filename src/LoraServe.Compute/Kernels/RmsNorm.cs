using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using LoraServe.Compute.Memory;
using LoraServe.Compute.Vectors;

namespace LoraServe.Compute.Kernels;

/// <summary>Normalises rows by their root mean square.</summary>
public static unsafe class RmsNorm
{
    /// <summary>y[t] = x[t] · gain / √(mean(x[t]²) + epsilon), in float32.</summary>
    /// <param name="x">Input rows, [T, D].</param>
    /// <param name="gain">Gain of each column, [D].</param>
    /// <param name="epsilon">Added to the mean square.</param>
    /// <param name="y">Output rows, [T, D]; may be the same memory as <paramref name="x"/>.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(Rows x, float* gain, float epsilon, Rows y)
    {
        for (int t = 0; t < x.Count; t++)
        {
            float factor = Factor(x[t], x.Width, epsilon);
            float* from = x[t];
            float* to = y[t];
            int i = 0;
            Vector256<float> factors = Vector256.Create(factor);
            for (; i <= x.Width - VectorMath.Lanes; i += VectorMath.Lanes)
            {
                Vector256.Store(Vector256.Load(gain + i) * (Vector256.Load(from + i) * factors), to + i);
            }

            for (; i < x.Width; i++)
            {
                to[i] = gain[i] * (from[i] * factor);
            }
        }
    }

    /// <summary>Adds the gradients of <see cref="Run"/> with respect to x and, if wanted, the gains.</summary>
    /// <remarks>With f = 1 / √(mean(x²) + epsilon): dx += f · (gain∘dy − x · f² · mean(gain∘dy∘x)) and dGain += Σ over rows of dy∘x · f.</remarks>
    /// <param name="x">What was normalised, [T, D].</param>
    /// <param name="gain">[D].</param>
    /// <param name="epsilon">As in <see cref="Run"/>.</param>
    /// <param name="dy">Gradient of the output rows, [T, D].</param>
    /// <param name="dx">Gradient of the input rows, [T, D], added to; no memory of <paramref name="dy"/>.</param>
    /// <param name="dGain">Gradient of the gains, [D], added to; null where it is not wanted.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Backward(Rows x, float* gain, float epsilon, Rows dy, Rows dx, float* dGain)
    {
        for (int t = 0; t < x.Count; t++)
        {
            float factor = Factor(x[t], x.Width, epsilon);
            float mean = WeightedDot(gain, dy[t], x[t], x.Width) / x.Width;
            AddInputGradient(gain, dy[t], x[t], factor, factor * factor * factor * mean, dx[t], x.Width);
            if (dGain is not null)
            {
                AddGainGradient(dy[t], x[t], factor, dGain, x.Width);
            }
        }
    }

    // Σ gain·dy·x.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float WeightedDot(float* gain, float* dy, float* x, int width)
    {
        Vector256<float> even = Vector256<float>.Zero;
        Vector256<float> odd = Vector256<float>.Zero;
        int i = 0;
        for (; i <= width - (2 * VectorMath.Lanes); i += 2 * VectorMath.Lanes)
        {
            int j = i + VectorMath.Lanes;
            even = VectorMath.MultiplyAdd(Vector256.Load(gain + i) * Vector256.Load(dy + i), Vector256.Load(x + i), even);
            odd = VectorMath.MultiplyAdd(Vector256.Load(gain + j) * Vector256.Load(dy + j), Vector256.Load(x + j), odd);
        }

        float sum = VectorMath.Sum(even + odd);
        for (; i < width; i++)
        {
            sum += gain[i] * dy[i] * x[i];
        }

        return sum;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddInputGradient(float* gain, float* dy, float* x, float factor, float pull, float* dx, int width)
    {
        Vector256<float> factors = Vector256.Create(factor);
        Vector256<float> pulls = Vector256.Create(pull);
        int i = 0;
        for (; i <= width - VectorMath.Lanes; i += VectorMath.Lanes)
        {
            Vector256<float> direct = Vector256.Load(gain + i) * Vector256.Load(dy + i) * factors;
            Vector256.Store(Vector256.Load(dx + i) + (direct - (Vector256.Load(x + i) * pulls)), dx + i);
        }

        for (; i < width; i++)
        {
            dx[i] += (gain[i] * dy[i] * factor) - (x[i] * pull);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddGainGradient(float* dy, float* x, float factor, float* dGain, int width)
    {
        Vector256<float> factors = Vector256.Create(factor);
        int i = 0;
        for (; i <= width - VectorMath.Lanes; i += VectorMath.Lanes)
        {
            Vector256.Store(Vector256.Load(dGain + i) + (Vector256.Load(dy + i) * (Vector256.Load(x + i) * factors)), dGain + i);
        }

        for (; i < width; i++)
        {
            dGain[i] += dy[i] * (x[i] * factor);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float Factor(float* x, int width, float epsilon)
    {
        Vector256<float> even = Vector256<float>.Zero;
        Vector256<float> odd = Vector256<float>.Zero;
        int i = 0;
        for (; i <= width - (2 * VectorMath.Lanes); i += 2 * VectorMath.Lanes)
        {
            Vector256<float> a = Vector256.Load(x + i);
            Vector256<float> b = Vector256.Load(x + i + VectorMath.Lanes);
            even = VectorMath.MultiplyAdd(a, a, even);
            odd = VectorMath.MultiplyAdd(b, b, odd);
        }

        float sum = VectorMath.Sum(even + odd);
        for (; i < width; i++)
        {
            sum += x[i] * x[i];
        }

        return 1f / MathF.Sqrt((sum / width) + epsilon);
    }
}
