using LoraServe.Adapters.Edits;
using LoraServe.Compute.Memory;

namespace LoraServe.Training.Autograd;

/// <summary>Derivatives of the activations of bottlenecks, which are narrow.</summary>
internal static unsafe class ActivationGradient
{
    /// <summary>y = act(x).</summary>
    public static void Forward(Activation activation, Rows x, Rows y)
    {
        for (int t = 0; t < x.Count; t++)
        {
            for (int i = 0; i < x.Width; i++)
            {
                y[t][i] = (float)Of(activation, x[t][i]).Value;
            }
        }
    }

    /// <summary>d ∘= act′(x).</summary>
    public static void Backward(Activation activation, Rows x, Rows d)
    {
        for (int t = 0; t < x.Count; t++)
        {
            for (int i = 0; i < x.Width; i++)
            {
                d[t][i] *= (float)Of(activation, x[t][i]).Slope;
            }
        }
    }

    private static (double Value, double Slope) Of(Activation activation, double x)
    {
        switch (activation)
        {
            case Activation.Relu:
                return x > 0 ? (x, 1) : (0, 0);
            case Activation.LeakyRelu:
                return x > 0 ? (x, 1) : (x / 100, 0.01);
            case Activation.Silu:
                double share = 1 / (1 + Math.Exp(-x));
                return (x * share, share * (1 + (x * (1 - share))));
            case Activation.Sigmoid:
                double sigmoid = 1 / (1 + Math.Exp(-x));
                return (sigmoid, sigmoid * (1 - sigmoid));
            case Activation.Tanh:
                double tanh = Math.Tanh(x);
                return (tanh, 1 - (tanh * tanh));
            case Activation.TanhGelu:
                double inner = Math.Tanh(Math.Sqrt(2 / Math.PI) * (x + (0.044715 * x * x * x)));
                double slope = (1 - (inner * inner)) * Math.Sqrt(2 / Math.PI) * (1 + (3 * 0.044715 * x * x));
                return (0.5 * x * (1 + inner), (0.5 * (1 + inner)) + (0.5 * x * slope));
            default:
                double below = MathNet.Numerics.Distributions.Normal.CDF(0, 1, x);
                return (x * below, below + (x * Math.Exp(-x * x / 2) / Math.Sqrt(2 * Math.PI)));
        }
    }
}
