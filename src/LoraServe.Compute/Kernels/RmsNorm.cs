using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using LoraServe.Compute.Memory;

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
