using System.Runtime.Intrinsics;

namespace LoraServe.Compute.Kernels;

/// <summary>Elementwise sums of rows. Every column is rounded the same way, wherever in a row or in a vector it stands.</summary>
public static unsafe class RowArithmetic
{
    /// <summary>y += x.</summary>
    public static void Add(float* x, float* y, int count)
    {
        int i = 0;
        for (; i <= count - VectorMath.Lanes; i += VectorMath.Lanes)
        {
            Vector256.Store(Vector256.Load(y + i) + Vector256.Load(x + i), y + i);
        }

        for (; i < count; i++)
        {
            y[i] += x[i];
        }
    }

    /// <summary>y += scale · x, the product rounded before the sum.</summary>
    public static void AddScaled(float* x, float scale, float* y, int count)
    {
        Vector256<float> scales = Vector256.Create(scale);
        int i = 0;
        for (; i <= count - VectorMath.Lanes; i += VectorMath.Lanes)
        {
            Vector256.Store(Vector256.Load(y + i) + (scales * Vector256.Load(x + i)), y + i);
        }

        for (; i < count; i++)
        {
            y[i] += scale * x[i];
        }
    }

    /// <summary>y += weight · ((scale − 1)·y + scale·x), scale and x by column.</summary>
    public static void ScaleAndAdd(float* scale, float* x, float weight, float* y, int count)
    {
        Vector256<float> weights = Vector256.Create(weight);
        int i = 0;
        for (; i <= count - VectorMath.Lanes; i += VectorMath.Lanes)
        {
            Vector256<float> v = Vector256.Load(scale + i);
            Vector256<float> before = Vector256.Load(y + i);
            Vector256<float> change = ((v - Vector256<float>.One) * before) + (v * Vector256.Load(x + i));
            Vector256.Store(before + (weights * change), y + i);
        }

        for (; i < count; i++)
        {
            float change = ((scale[i] - 1f) * y[i]) + (scale[i] * x[i]);
            y[i] += weight * change;
        }
    }
}
