using System.Numerics.Tensors;
using LoraServe.Adapters.Gradients;
using LoraServe.Compute.Workers;

namespace LoraServe.Training.Optimizers;

/// <summary>Keeps a step's gradient from growing beyond a length.</summary>
internal static class GradientClipping
{
    private const double Epsilon = 1e-6;

    /// <summary>Multiplies all gradients by min(1, maximum/(‖g‖ + 1e-6)), ‖g‖ over all of them together.</summary>
    /// <param name="parameters">Whose gradients are clipped in place.</param>
    /// <param name="maximumNorm">Above 0; infinity only measures.</param>
    /// <param name="pool">The workers; null for the calling thread alone.</param>
    /// <returns>‖g‖ before clipping, summed in double precision; not finite where a gradient is not, and then the gradients are of no use.</returns>
    public static double Clip(IReadOnlyList<Parameter> parameters, double maximumNorm = double.PositiveInfinity, WorkerPool? pool = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maximumNorm);
        double[] sums = new double[parameters.Count];
        ParameterLoop.Run(parameters, pool, new SumKernel(parameters, sums));
        double norm = Math.Sqrt(sums.Sum());
        double factor = maximumNorm / (norm + Epsilon);
        if (factor < 1)
        {
            ParameterLoop.Run(parameters, pool, new ScaleKernel(parameters, (float)factor));
        }

        return norm;
    }

    private readonly struct SumKernel(IReadOnlyList<Parameter> parameters, double[] sums) : IParameterKernel
    {
        public void Run(int index) => sums[index] = SquareSum.Of(parameters[index].Gradient);
    }

    private readonly struct ScaleKernel(IReadOnlyList<Parameter> parameters, float factor) : IParameterKernel
    {
        public void Run(int index) => TensorPrimitives.Multiply(parameters[index].Gradient, factor, parameters[index].Gradient);
    }
}
