using System.Numerics.Tensors;
using LoraServe.Adapters;
using LoraServe.Adapters.Edits;
using LoraServe.Training.Autograd;

namespace LoraServe.Training.Methods;

/// <summary>Parameters of the base that an adapter has values of its own for: whole matrices, biases, norms, rows of tables.</summary>
/// <remarks>They begin with the base's values, are saved whole, and act as differences from the base.</remarks>
internal sealed class ReplacedParameters(IBaseModel model)
{
    private readonly List<(BaseModule Module, Parameter Values, float[] Original)> _weights = [];
    private readonly List<(BaseModule Module, Parameter Values, float[] Original)> _biases = [];
    private readonly List<(BaseNorm Norm, Parameter Values, float[] Original)> _norms = [];
    private readonly List<(BaseModule Module, int[] Tokens, Parameter Values, float[] Original)> _rows = [];

    /// <summary>A parameter's first values: the base's weight.</summary>
    public void AddWeight(BaseModule module, Func<float[], Parameter> add)
    {
        float[] original = model.Weight(module).Values;
        _weights.Add((module, add([.. original]), original));
    }

    /// <summary>A parameter's first values: the base's bias.</summary>
    public void AddBias(BaseModule module, Func<float[], Parameter> add)
    {
        float[] original = model.Bias(module);
        _biases.Add((module, add([.. original]), original));
    }

    /// <summary>A parameter's first values: the base's gains.</summary>
    public void AddNorm(BaseNorm norm, Func<float[], Parameter> add)
    {
        float[] original = model.Gains(norm);
        _norms.Add((norm, add([.. original]), original));
    }

    /// <summary>A parameter's first values: some rows of a table, and of the head where it is the table.</summary>
    /// <param name="tables">The token table, and the head where it is tied to it.</param>
    /// <param name="tokens">The rows, ascending.</param>
    /// <param name="add">Makes the parameter.</param>
    public void AddRows(IReadOnlyList<BaseModule> tables, int[] tokens, Func<float[], Parameter> add)
    {
        int width = tables[0].Inputs;
        float[] original = new float[tokens.Length * width];
        for (int i = 0; i < tokens.Length; i++)
        {
            model.CopyWeightRow(tables[0].Site, tokens[i], original.AsSpan(i * width, width));
        }

        Parameter values = add([.. original]);
        _rows.AddRange(tables.Select(table => (table, tokens, values, original)));
    }

    /// <summary>The edits that the parameters make now.</summary>
    public IEnumerable<AdapterEdit> Edits() =>
    [
        .. _weights.Select(entry => new DenseDelta(entry.Module.Site, new FloatMatrix(entry.Module.Outputs, entry.Module.Inputs, Less(entry.Values, entry.Original)))),
        .. _biases.Select(entry => new BiasDelta(entry.Module.Site, Less(entry.Values, entry.Original))),
        .. _norms.Select(entry => new NormDelta(entry.Norm.Site, Less(entry.Values, entry.Original))),
        .. _rows.Select(entry => new RowsDelta(entry.Module.Site, entry.Tokens, new FloatMatrix(entry.Tokens.Length, entry.Module.Inputs, Less(entry.Values, entry.Original)))),
    ];

    /// <summary>Adds to the parameters' gradients.</summary>
    public void Pull(EditGradients gradients)
    {
        foreach ((BaseModule module, Parameter values, _) in _weights)
        {
            Add(values, module.Site == Site.Embedding ? gradients.Embedding?.Table : gradients.At(module.Site)?.Dense);
        }

        foreach ((BaseModule module, Parameter values, _) in _biases)
        {
            Add(values, gradients.At(module.Site)?.Bias);
        }

        foreach ((BaseNorm norm, Parameter values, _) in _norms)
        {
            Add(values, gradients.At(norm.Site));
        }

        foreach ((BaseModule module, _, Parameter values, _) in _rows)
        {
            Add(values, module.Site == Site.Embedding ? gradients.Embedding?.RowDeltas : gradients.At(module.Site)?.RowDeltas);
        }
    }

    private static float[] Less(Parameter values, float[] original)
    {
        float[] delta = new float[original.Length];
        TensorPrimitives.Subtract(values.Values, original, delta);
        return delta;
    }

    private static void Add(Parameter parameter, GradientMatrix? gradient)
    {
        if (gradient is not null)
        {
            TensorPrimitives.Add(parameter.Gradient, gradient.Values, parameter.Gradient);
        }
    }
}
