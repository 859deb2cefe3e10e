using System.Runtime.Intrinsics;

namespace LoraServe.Training.Optimizers;

/// <summary>Σx² in double precision, added up in one order whatever the machine.</summary>
internal static class SquareSum
{
    private const int Lanes = 8;

    public static double Of(ReadOnlySpan<float> values)
    {
        Vector256<double> even = Vector256<double>.Zero;
        Vector256<double> odd = Vector256<double>.Zero;
        int i = 0;
        for (; i <= values.Length - Lanes; i += Lanes)
        {
            (Vector256<double> lower, Vector256<double> upper) = Vector256.Widen(Vector256.Create(values.Slice(i, Lanes)));
            even += lower * lower;
            odd += upper * upper;
        }

        double sum = Vector256.Sum(even + odd);
        foreach (float value in values[i..])
        {
            sum += (double)value * value;
        }

        return sum;
    }
}
