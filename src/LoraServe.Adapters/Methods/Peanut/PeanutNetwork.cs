using System.Numerics.Tensors;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.LinearAlgebra;
using LoraServe.Adapters.Methods.Training;

namespace LoraServe.Adapters.Methods.Peanut;

/// <summary>What PEANuT makes of a weight's columns: a narrow network with a residual around each of its inner layers.</summary>
/// <param name="encoders">[rank, rank] each, on the way in.</param>
/// <param name="decoders">As many, on the way out.</param>
/// <param name="activation">The non-linearity after every layer.</param>
internal sealed class PeanutNetwork(IReadOnlyList<FloatMatrix> encoders, IReadOnlyList<FloatMatrix> decoders, Activation activation)
{
    private readonly List<FloatMatrix> _before = [];
    private readonly List<FloatMatrix> _residuals = [];
    private readonly List<FloatMatrix> _intoDecoders = [];

    /// <summary>The last layer's result, [rank, inputs], of the projected weight A·W.</summary>
    public FloatMatrix Forward(FloatMatrix projected)
    {
        _before.Clear();
        _residuals.Clear();
        _intoDecoders.Clear();
        FloatMatrix hidden = Activate(projected);
        foreach (FloatMatrix encoder in encoders)
        {
            _residuals.Add(hidden);
            hidden = Activate(DenseProduct.Of(encoder, hidden));
        }

        for (int i = 0; i < decoders.Count; i++)
        {
            _intoDecoders.Add(hidden);
            hidden = Activate(DenseProduct.Of(decoders[i], hidden));
            TensorPrimitives.Add(hidden.Values, _residuals[^(i + 1)].Values, hidden.Values);
        }

        return hidden;
    }

    /// <summary>The derivative by the projected weight, given that by the result of the last <see cref="Forward"/>.</summary>
    /// <param name="byResult">[rank, inputs].</param>
    /// <param name="byEncoders">Get the sums.</param>
    /// <param name="byDecoders">Get the sums.</param>
    public FloatMatrix Backward(FloatMatrix byResult, IReadOnlyList<float[]> byEncoders, IReadOnlyList<float[]> byDecoders)
    {
        int depth = encoders.Count;
        var byResiduals = new FloatMatrix[depth];
        FloatMatrix d = byResult;
        for (int i = depth - 1; i >= 0; i--)
        {
            byResiduals[depth - 1 - i] = d;
            d = Through(d, _before[1 + depth + i], decoders[i], _intoDecoders[i], byDecoders[i]);
        }

        for (int i = depth - 1; i >= 0; i--)
        {
            d = Through(d, _before[1 + i], encoders[i], _residuals[i], byEncoders[i]);
            TensorPrimitives.Add(d.Values, byResiduals[i].Values, d.Values);
        }

        return Sloped(d, _before[0]);
    }

    private FloatMatrix Activate(FloatMatrix before)
    {
        _before.Add(before);
        return new FloatMatrix(before.Rows, before.Columns, Array.ConvertAll(before.Values, value => ActivationFunction.Value(activation, value)));
    }

    private FloatMatrix Through(FloatMatrix d, FloatMatrix before, FloatMatrix layer, FloatMatrix input, float[] byLayer)
    {
        var byInput = new FloatMatrix(input.Rows, input.Columns);
        MatrixGradient.OfProduct(Sloped(d, before), layer, input, byLayer, byInput.Values);
        return byInput;
    }

    private FloatMatrix Sloped(FloatMatrix d, FloatMatrix before)
    {
        var sloped = new FloatMatrix(d.Rows, d.Columns);
        for (int i = 0; i < sloped.Values.Length; i++)
        {
            sloped.Values[i] = d.Values[i] * ActivationFunction.Slope(activation, before.Values[i]);
        }

        return sloped;
    }
}
