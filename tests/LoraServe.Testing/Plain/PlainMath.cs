using System.Numerics.Tensors;
using LoraServe.Adapters.Edits;

namespace LoraServe.Testing.Plain;

/// <summary>Rows and functions in float64.</summary>
internal static class PlainMath
{
    public static double[] Doubles(ReadOnlySpan<float> values)
    {
        double[] doubles = new double[values.Length];
        TensorPrimitives.ConvertTruncating(values, doubles);
        return doubles;
    }

    public static double Dot(ReadOnlySpan<double> a, ReadOnlySpan<double> b) => TensorPrimitives.Dot(a, b);

    /// <summary>y += factor · x.</summary>
    public static void Add(double[] y, double[] x, double factor = 1)
    {
        for (int i = 0; i < y.Length; i++)
        {
            y[i] += factor * x[i];
        }
    }

    /// <summary>x∘factors, where there are any.</summary>
    public static double[] Scaled(double[] x, float[]? factors) => factors is null ? x : [.. x.Zip(factors, (value, factor) => value * factor)];

    public static double Activate(Activation activation, double x) => activation switch
    {
        Activation.Relu => Math.Max(x, 0),
        Activation.LeakyRelu => x > 0 ? x : x / 100,
        Activation.Silu => x / (1 + Math.Exp(-x)),
        Activation.Gelu => x * Normal(x),
        Activation.TanhGelu => 0.5 * x * (1 + Math.Tanh(Math.Sqrt(2 / Math.PI) * (x + (0.044715 * x * x * x)))),
        Activation.Tanh => Math.Tanh(x),
        Activation.Sigmoid => 1 / (1 + Math.Exp(-x)),
        _ => throw new ArgumentOutOfRangeException(nameof(activation), activation, "Not an activation."),
    };

    /// <summary>Φ(x), the normal distribution: ½ + φ(x)·(x + x³/3 + x⁵/(3·5) + …).</summary>
    private static double Normal(double x)
    {
        if (Math.Abs(x) > 8)
        {
            return x > 0 ? 1 : 0;
        }

        (double sum, double term) = (x, x);
        for (int odd = 3; Math.Abs(term) > 1e-18; odd += 2)
        {
            term *= x * x / odd;
            sum += term;
        }

        return 0.5 + (sum * Math.Exp(-x * x / 2) / Math.Sqrt(2 * Math.PI));
    }
}
