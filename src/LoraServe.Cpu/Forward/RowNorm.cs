using LoraServe.Compute.Kernels;
using LoraServe.Compute.Memory;
using LoraServe.Models.Spec;

namespace LoraServe.Cpu.Forward;

/// <summary>The model's norm: of rows, or of each part of a row that has as many elements as there are gains.</summary>
internal static unsafe class RowNorm
{
    /// <summary>Norms rows.</summary>
    /// <param name="spec">Which norm.</param>
    /// <param name="x">[T, D].</param>
    /// <param name="parameters">Gains [width] and, where the model has them, biases [width].</param>
    /// <param name="width">Elements that are normed together; divides D.</param>
    /// <param name="y">[T, D]; may be x.</param>
    public static void Run(TransformerSpec spec, Rows x, float* parameters, int width, Rows y)
    {
        if (x.Width == width)
        {
            RunWhole(spec, x, parameters, y);
            return;
        }

        for (int t = 0; t < x.Count; t++)
        {
            RunWhole(spec, Parts(x, t, width), parameters, Parts(y, t, width));
        }
    }

    /// <summary>Adds the derivatives of <see cref="Run"/>.</summary>
    /// <param name="spec">Which norm.</param>
    /// <param name="x">[T, D].</param>
    /// <param name="gains">[width].</param>
    /// <param name="width">As in <see cref="Run"/>.</param>
    /// <param name="dy">[T, D].</param>
    /// <param name="dx">[T, D], added to.</param>
    /// <param name="dParameters">By gains and biases, added to; null where they are not wanted.</param>
    public static void Backward(TransformerSpec spec, Rows x, float* gains, int width, Rows dy, Rows dx, float* dParameters)
    {
        if (x.Width == width)
        {
            BackwardWhole(spec, x, gains, dy, dx, dParameters);
            return;
        }

        for (int t = 0; t < x.Count; t++)
        {
            BackwardWhole(spec, Parts(x, t, width), gains, Parts(dy, t, width), Parts(dx, t, width), dParameters);
        }
    }

    private static Rows Parts(Rows rows, int t, int width) => new((nint)rows[t], rows.Width / width, width, width);

    private static void RunWhole(TransformerSpec spec, Rows x, float* parameters, Rows y)
    {
        if (spec.CentresNorms)
        {
            LayerNorm.Run(x, parameters, parameters + x.Width, spec.NormEpsilon, y);
        }
        else
        {
            RmsNorm.Run(x, parameters, spec.NormEpsilon, y);
        }
    }

    private static void BackwardWhole(TransformerSpec spec, Rows x, float* gains, Rows dy, Rows dx, float* dParameters)
    {
        if (spec.CentresNorms)
        {
            LayerNorm.Backward(x, gains, spec.NormEpsilon, dy, dx, dParameters, dParameters is null ? null : dParameters + x.Width);
        }
        else
        {
            RmsNorm.Backward(x, gains, spec.NormEpsilon, dy, dx, dParameters);
        }
    }
}
