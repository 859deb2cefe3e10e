using System.Numerics.Tensors;

namespace LoraServe.Adapters.Methods.Training;

/// <summary>Dense layers with a non-linearity between each two: what makes the rows ahead of a prompt while it is trained.</summary>
/// <param name="usesTanh">tanh between the layers; else max(0, x).</param>
/// <param name="layers">The layers, first to last.</param>
internal sealed class PromptEncoder(bool usesTanh, params DenseLayer[] layers)
{
    private readonly float[][] _activations = new float[layers.Length - 1][];

    /// <summary>Computes rows and remembers what they were made from.</summary>
    /// <param name="rows">[rows, inputs of the first layer].</param>
    /// <returns>[rows, outputs of the last layer].</returns>
    public float[] Forward(float[] rows)
    {
        float[] x = rows;
        for (int i = 0; i < layers.Length; i++)
        {
            x = layers[i].Forward(x);
            if (i < _activations.Length)
            {
                if (usesTanh)
                {
                    TensorPrimitives.Tanh(x, x);
                }
                else
                {
                    TensorPrimitives.Max(x, 0f, x);
                }

                _activations[i] = x;
            }
        }

        return x;
    }

    /// <summary>Adds to the layers' gradients.</summary>
    /// <param name="dy">Derivative by the last result.</param>
    /// <returns>Derivative by what it was made from.</returns>
    public float[] Backward(float[] dy)
    {
        float[] d = dy;
        for (int i = layers.Length - 1; i >= 0; i--)
        {
            d = layers[i].Backward(d);
            if (i > 0)
            {
                float[] y = _activations[i - 1];
                for (int j = 0; j < d.Length; j++)
                {
                    d[j] *= usesTanh ? 1 - (y[j] * y[j]) : y[j] > 0 ? 1 : 0;
                }
            }
        }

        return d;
    }
}
