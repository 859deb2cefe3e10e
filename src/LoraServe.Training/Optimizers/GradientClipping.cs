using System.Numerics.Tensors;

namespace LoraServe.Training.Optimizers;

/// <summary>Keeps a step's gradient from growing beyond a length.</summary>
internal static class GradientClipping
{
    private const double Epsilon = 1e-6;

    /// <summary>Multiplies all gradients by min(1, maximum/(‖g‖ + 1e-6)), ‖g‖ over all of them together.</summary>
    /// <param name="parameters">Whose gradients are clipped in place.</param>
    /// <param name="maximumNorm">Above 0; infinity only measures.</param>
    /// <returns>‖g‖ before clipping, summed in double precision; not finite where a gradient is not, and then the gradients are of no use.</returns>
    public static double Clip(IReadOnlyList<Parameter> parameters, double maximumNorm = double.PositiveInfinity)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maximumNorm);
        double sum = 0;
        for (int i = 0; i < parameters.Count; i++)
        {
            sum += SquareSum.Of(parameters[i].Gradient);
        }

        double norm = Math.Sqrt(sum);
        double factor = maximumNorm / (norm + Epsilon);
        for (int i = 0; factor < 1 && i < parameters.Count; i++)
        {
            TensorPrimitives.Multiply(parameters[i].Gradient, (float)factor, parameters[i].Gradient);
        }

        return norm;
    }
}
