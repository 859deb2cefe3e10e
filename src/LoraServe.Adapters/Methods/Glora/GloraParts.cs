using System.Numerics.Tensors;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Gradients;
using LoraServe.Adapters.LinearAlgebra;
using LoraServe.Adapters.Methods.Reading;
using LoraServe.Adapters.Methods.Training;

namespace LoraServe.Adapters.Methods.Glora;

/// <summary>GLoRA's parts at a module, A to E, and what they do there: W + W∘A + B and b + b∘D + E + W·C.</summary>
/// <remarks>Where A and B have one number a row, they scale outputs and add the sum of the inputs; a product of factors makes a whole matrix.</remarks>
internal sealed class GloraParts
{
    private readonly IBaseModel _model;
    private readonly BaseModule _module;
    private readonly GloraForm _form;
    private readonly Dictionary<string, Parameter> _stored = [];

    /// <summary>Takes each tensor of the parts.</summary>
    /// <param name="model">The base.</param>
    /// <param name="module">The linear map.</param>
    /// <param name="config">The forms.</param>
    /// <param name="take">Gives a tensor, such as <c>glora_A.Xd</c>, of a shape.</param>
    public GloraParts(IBaseModel model, BaseModule module, GloraConfig config, Func<string, int[], Parameter> take)
    {
        (_model, _module, _form) = (model, module, config.WeightForm);
        Take("A", config.WeightForm, module.Outputs, module.Inputs);
        Take("B", config.WeightForm, module.Outputs, module.Inputs);
        if (module.HasBias)
        {
            Take("C", config.CouplingForm, module.Inputs, 1);
            Take("D", config.BiasForm, module.Outputs, 0);
            Take("E", config.BiasForm, module.Outputs, 0);
        }

        void Take(string part, GloraForm form, int rows, int columns)
        {
            foreach ((string name, int[] shape) in (ReadOnlySpan<(string, int[])>)(form switch
            {
                GloraForm.LowRank => [("Xd", [rows, config.Rank]), ("Xu", [config.Rank, columns])],
                GloraForm.Vector => [("X", columns > 0 ? [rows, 1] : [rows])],
                GloraForm.Constant => [("X", [1])],
                _ => [],
            }))
            {
                _stored[$"{part}.{name}"] = take($"glora_{part}.{name}", shape);
            }
        }
    }

    /// <summary>The edits that the parts make now.</summary>
    public IEnumerable<ModuleEdit> Edits()
    {
        if (_form == GloraForm.LowRank)
        {
            yield return new DenseDelta(_module.Site, Whole());
        }
        else if (_form != GloraForm.None)
        {
            // The scale acts on the pair too, from which it is taken out again.
            float[] scale = Array.ConvertAll(Column("A.X"), value => 1 + value);
            var b = new FloatMatrix(_module.Outputs, 1, Column("B.X"));
            TensorPrimitives.Divide(b.Values, scale, b.Values);
            yield return new OutputScale(_module.Site, scale);
            yield return new LowRank(_module.Site, Ones(), b, 1);
        }

        if (Bias() is { } bias)
        {
            yield return new BiasDelta(_module.Site, bias);
        }
    }

    /// <summary>Adds to the parts' gradients what derivatives by the edits come to.</summary>
    public void Pull(LinearEditGradient change)
    {
        if (change.Dense?.Matrix() is { } dense)
        {
            PullProduct("B", dense);
            _model.MultiplyElements(_module, dense);
            PullProduct("A", dense);
        }
        else if (change.OutputGain is not null)
        {
            // Resident, the pair has the scale folded in, which leaves B.
            PullColumn("A.X", change.OutputGain.Values);
            PullColumn("B.X", change.B!.Values);
        }

        if (change.Bias is not null)
        {
            PullBias(change.Bias.Values);
        }
    }

    private FloatMatrix Whole()
    {
        FloatMatrix change = DeltaForm.Whole(_module);
        DenseProduct.Run(_stored["A.Xd"].Matrix(), _stored["A.Xu"].Matrix(), change);
        _model.MultiplyElements(_module, change);
        DenseProduct.Run(_stored["B.Xd"].Matrix(), _stored["B.Xu"].Matrix(), change, adds: true);
        return change;
    }

    private float[]? Bias()
    {
        float[]? sum = null;
        if (Coupling() is { } c)
        {
            sum = _model.MultiplyRows(_module, c).Values;
        }

        if (_stored.ContainsKey("E.X"))
        {
            float[] scaled = _model.Bias(_module);
            TensorPrimitives.MultiplyAdd(scaled, Column("D.X"), Column("E.X"), scaled);
            if (sum is not null)
            {
                TensorPrimitives.Add(scaled, sum, scaled);
            }

            sum = scaled;
        }

        return sum;
    }

    private void PullBias(float[] d)
    {
        if (_stored.ContainsKey("E.X"))
        {
            PullColumn("E.X", d);
            float[] byScale = _model.Bias(_module);
            TensorPrimitives.Multiply(byScale, d, byScale);
            PullColumn("D.X", byScale);
        }

        if (Coupling() is not null)
        {
            FloatMatrix byC = _model.MultiplyFromLeft(_module, new FloatMatrix(1, d.Length, d)).Transposed();
            if (_stored.ContainsKey("C.Xd"))
            {
                PullProduct("C", byC);
            }
            else
            {
                PullColumn("C.X", byC.Values);
            }
        }
    }

    /// <summary>Cᵀ, [1, inputs]; null where there is none.</summary>
    private FloatMatrix? Coupling()
    {
        if (_stored.TryGetValue("C.X", out Parameter? column))
        {
            return new FloatMatrix(1, _module.Inputs, column.Values);
        }

        if (!_stored.TryGetValue("C.Xd", out Parameter? left))
        {
            return null;
        }

        return DenseProduct.Of(left.Matrix(), _stored["C.Xu"].Matrix()).Transposed();
    }

    /// <summary>A vector's values for each output, of one number the same for all.</summary>
    private float[] Column(string name)
    {
        float[] values = _stored[name].Values;
        return values.Length == _module.Outputs ? [.. values] : [.. Enumerable.Repeat(values[0], _module.Outputs)];
    }

    private void PullColumn(string name, float[] d)
    {
        float[] gradient = _stored[name].Gradient;
        if (gradient.Length == d.Length)
        {
            TensorPrimitives.Add(gradient, d, gradient);
        }
        else
        {
            gradient[0] += TensorPrimitives.Sum<float>(d);
        }
    }

    private void PullProduct(string part, FloatMatrix d)
    {
        (Parameter left, Parameter right) = (_stored[$"{part}.Xd"], _stored[$"{part}.Xu"]);
        MatrixGradient.OfProduct(d, left.Matrix(), right.Matrix(), left.Gradient, right.Gradient);
    }

    private FloatMatrix Ones()
    {
        var ones = new FloatMatrix(1, _module.Inputs);
        Array.Fill(ones.Values, 1);
        return ones;
    }
}
