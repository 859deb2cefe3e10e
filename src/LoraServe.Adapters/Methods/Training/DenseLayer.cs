using System.Numerics.Tensors;
using LoraServe.Adapters.Gradients;

namespace LoraServe.Adapters.Methods.Training;

/// <summary>y = W·x + b for the few rows of a prompt encoder, forth and back.</summary>
internal sealed class DenseLayer(Parameter weight, Parameter bias)
{
    private float[] _x = [];

    /// <summary>Length of a result row.</summary>
    public int Outputs => weight.Shape[0];

    /// <summary>Length of an input row.</summary>
    public int Inputs => weight.Shape[1];

    /// <summary>Computes rows and remembers what they were made from.</summary>
    /// <param name="x">[rows, inputs].</param>
    /// <returns>[rows, outputs].</returns>
    public float[] Forward(float[] x)
    {
        _x = x;
        int rows = x.Length / Inputs;
        float[] y = new float[rows * Outputs];
        for (int output = 0; output < Outputs; output++)
        {
            ReadOnlySpan<float> weights = weight.Values.AsSpan(output * Inputs, Inputs);
            for (int row = 0; row < rows; row++)
            {
                y[(row * Outputs) + output] = bias.Values[output] + TensorPrimitives.Dot(weights, x.AsSpan(row * Inputs, Inputs));
            }
        }

        return y;
    }

    /// <summary>Adds to the parameters' gradients.</summary>
    /// <param name="dy">Derivative by the last result.</param>
    /// <returns>Derivative by what it was made from.</returns>
    public float[] Backward(float[] dy)
    {
        float[] dx = new float[_x.Length];
        int rows = _x.Length / Inputs;
        for (int row = 0; row < rows; row++)
        {
            ReadOnlySpan<float> x = _x.AsSpan(row * Inputs, Inputs);
            Span<float> dxRow = dx.AsSpan(row * Inputs, Inputs);
            for (int output = 0; output < Outputs; output++)
            {
                float d = dy[(row * Outputs) + output];
                bias.Gradient[output] += d;
                Span<float> dWeight = weight.Gradient.AsSpan(output * Inputs, Inputs);
                TensorPrimitives.MultiplyAdd(x, d, dWeight, dWeight);
                TensorPrimitives.MultiplyAdd(weight.Values.AsSpan(output * Inputs, Inputs), d, dxRow, dxRow);
            }
        }

        return dx;
    }
}
