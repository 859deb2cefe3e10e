using LoraServe.Adapters.Edits;
using LoraServe.Compute.Kernels;
using LoraServe.Compute.Memory;

namespace LoraServe.Cpu.Forward;

/// <summary>The gate of a gated MLP, act(gate) · up. SiLU, which nearly all models have, has a kernel of its own.</summary>
internal static unsafe class GatedProduct
{
    /// <summary>y = act(gate) · up.</summary>
    /// <param name="activation">The model's activation.</param>
    /// <param name="gate">[T, F].</param>
    /// <param name="up">[T, F].</param>
    /// <param name="y">[T, F]; may be the gate's memory.</param>
    public static void Run(Activation activation, Rows gate, Rows up, Rows y)
    {
        if (activation == Activation.Silu)
        {
            SiluMultiply.Run(gate, up, y);
            return;
        }

        for (int t = 0; t < gate.Count; t++)
        {
            gate.Span(t).CopyTo(y.Span(t));
        }

        Activations.Run(activation, y);
        Multiply(up, y);
    }

    /// <summary>The derivatives by both factors.</summary>
    /// <param name="activation">The model's activation.</param>
    /// <param name="gate">[T, F].</param>
    /// <param name="up">[T, F].</param>
    /// <param name="dy">Derivative by the product, [T, F].</param>
    /// <param name="dGate">[T, F], written; memory of its own.</param>
    /// <param name="dUp">[T, F], written; memory of its own.</param>
    public static void Backward(Activation activation, Rows gate, Rows up, Rows dy, Rows dGate, Rows dUp)
    {
        if (activation == Activation.Silu)
        {
            SiluMultiply.Backward(gate, up, dy, dGate, dUp);
            return;
        }

        Run(activation, gate, dy, dUp);
        for (int t = 0; t < dy.Count; t++)
        {
            dy.Span(t).CopyTo(dGate.Span(t));
        }

        Multiply(up, dGate);
        Activations.Backward(activation, gate, dGate);
    }

    private static void Multiply(Rows x, Rows y)
    {
        for (int t = 0; t < y.Count; t++)
        {
            RowArithmetic.Multiply(x[t], y[t], y.Width);
        }
    }
}
