using LoraServe.Adapters.Edits;
using LoraServe.Compute.Memory;

namespace LoraServe.Cpu.Forward;

/// <summary>The non-linearities, element by element.</summary>
internal static unsafe class Activations
{
    /// <summary>x ← act(x).</summary>
    public static void Run(Activation activation, Rows x)
    {
        for (int t = 0; t < x.Count; t++)
        {
            foreach (ref float value in x.Span(t))
            {
                value = ActivationFunction.Value(activation, value);
            }
        }
    }

    /// <summary>dy ← act′(x)∘dy: the derivative by what went in.</summary>
    /// <param name="activation">The non-linearity.</param>
    /// <param name="x">What went in.</param>
    /// <param name="dy">Derivative by what came out.</param>
    public static void Backward(Activation activation, Rows x, Rows dy)
    {
        for (int t = 0; t < x.Count; t++)
        {
            float* values = x[t];
            float* derivatives = dy[t];
            for (int i = 0; i < x.Width; i++)
            {
                derivatives[i] *= ActivationFunction.Slope(activation, values[i]);
            }
        }
    }
}
