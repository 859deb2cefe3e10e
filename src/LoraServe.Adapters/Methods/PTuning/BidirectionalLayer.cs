using System.Numerics.Tensors;

namespace LoraServe.Adapters.Methods.PTuning;

/// <summary>Two recurrent layers over the same rows, one from each end; a result row holds both states.</summary>
internal sealed class BidirectionalLayer(RecurrentLayer forward, RecurrentLayer backward)
{
    /// <summary>Computes rows and remembers what they were made from.</summary>
    /// <param name="x">[rows, inputs].</param>
    /// <returns>[rows, 2 · hidden].</returns>
    public float[] Forward(float[] x)
    {
        float[] first = forward.Forward(x);
        float[] second = backward.Forward(x);
        int hidden = forward.Hidden;
        float[] y = new float[first.Length * 2];
        for (int row = 0; row < first.Length / hidden; row++)
        {
            first.AsSpan(row * hidden, hidden).CopyTo(y.AsSpan(2 * row * hidden));
            second.AsSpan(row * hidden, hidden).CopyTo(y.AsSpan(((2 * row) + 1) * hidden));
        }

        return y;
    }

    /// <summary>Adds to the parameters' gradients.</summary>
    /// <param name="dy">Derivative by the last result.</param>
    /// <returns>Derivative by what it was made from.</returns>
    public float[] Backward(float[] dy)
    {
        int hidden = forward.Hidden;
        float[] first = new float[dy.Length / 2];
        float[] second = new float[dy.Length / 2];
        for (int row = 0; row < first.Length / hidden; row++)
        {
            dy.AsSpan(2 * row * hidden, hidden).CopyTo(first.AsSpan(row * hidden));
            dy.AsSpan(((2 * row) + 1) * hidden, hidden).CopyTo(second.AsSpan(row * hidden));
        }

        float[] dx = forward.Backward(first);
        TensorPrimitives.Add(dx, backward.Backward(second), dx);
        return dx;
    }
}
