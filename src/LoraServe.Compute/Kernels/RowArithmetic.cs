using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using LoraServe.Compute.Vectors;

namespace LoraServe.Compute.Kernels;

/// <summary>Elementwise sums and products of rows. Every column is rounded the same way, wherever in a row or in a vector it stands.</summary>
public static unsafe class RowArithmetic
{
    /// <summary>y = scale · x.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply(float* x, float scale, float* y, int count)
    {
        Vector256<float> scales = Vector256.Create(scale);
        int i = 0;
        for (; i <= count - VectorMath.Lanes; i += VectorMath.Lanes)
        {
            Vector256.Store(scales * Vector256.Load(x + i), y + i);
        }

        for (; i < count; i++)
        {
            y[i] = scale * x[i];
        }
    }

    /// <summary>y = x∘y.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply(float* x, float* y, int count)
    {
        int i = 0;
        for (; i <= count - VectorMath.Lanes; i += VectorMath.Lanes)
        {
            Vector256.Store(Vector256.Load(y + i) * Vector256.Load(x + i), y + i);
        }

        for (; i < count; i++)
        {
            y[i] *= x[i];
        }
    }

    /// <summary>y += x.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
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
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
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

    /// <summary>y += scale · x∘y.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void AddProduct(float* x, float scale, float* y, int count)
    {
        Vector256<float> scales = Vector256.Create(scale);
        int i = 0;
        for (; i <= count - VectorMath.Lanes; i += VectorMath.Lanes)
        {
            Vector256<float> before = Vector256.Load(y + i);
            Vector256.Store(before + (scales * Vector256.Load(x + i) * before), y + i);
        }

        for (; i < count; i++)
        {
            y[i] += scale * x[i] * y[i];
        }
    }
}
