using System.Numerics.Tensors;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Gradients;
using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.Training;

/// <summary>Parameters of the base that an adapter has values of its own for: whole matrices, biases, norms, rows of tables.</summary>
/// <remarks>They begin with the base's values, are saved whole, and act as differences from the base.</remarks>
internal sealed class ReplacedParameters(IBaseModel model)
{
    private readonly List<(BaseModule Module, Parameter Values, float[] Original)> _weights = [];
    private readonly List<(BaseModule Module, Parameter Values, float[] Original)> _biases = [];
    private readonly List<(BaseNorm Norm, Parameter? Gains, Parameter? Biases, float[] Original)> _norms = [];
    private readonly List<(BaseModule Module, TokenRows Rows)> _rows = [];

    /// <summary>A parameter's first values: the base's weight.</summary>
    public void AddWeight(BaseModule module, Func<float[], Parameter> add) => AddWeight([module], add);

    /// <summary>A parameter's first values: the base's weight, which several modules share.</summary>
    public void AddWeight(IReadOnlyList<BaseModule> modules, Func<float[], Parameter> add)
    {
        if (modules[0].IsTransposed)
        {
            throw new AdapterFormatException($"{modules[0].Path} is stored as [inputs, outputs]; a whole one of the adapter's own can be served, not trained. Train a pair there.");
        }

        float[] original = model.Weight(modules[0]).Values;
        Parameter values = add([.. original]);
        _weights.AddRange(modules.Select(module => (module, values, original)));
    }

    /// <summary>A parameter's first values: the base's bias.</summary>
    public void AddBias(BaseModule module, Func<float[], Parameter> add)
    {
        float[] original = model.Bias(module);
        _biases.Add((module, add([.. original]), original));
    }

    /// <summary>Parameters' first values: the base's gains and, where the norm has them, its biases.</summary>
    /// <param name="norm">The norm.</param>
    /// <param name="add">Makes a parameter, given <c>weight</c> or <c>bias</c> and its values.</param>
    public void AddNorm(BaseNorm norm, Func<string, float[], Parameter> add)
    {
        float[] original = model.Parameters(norm);
        _norms.Add((norm, add("weight", original[..norm.Width]), norm.HasBias ? add("bias", original[norm.Width..]) : null, original));
    }

    /// <summary>A parameter's first values: the base's biases of a norm.</summary>
    public void AddNormBias(BaseNorm norm, Func<float[], Parameter> add)
    {
        float[] original = model.Parameters(norm);
        _norms.Add((norm, null, add(original[norm.Width..]), original));
    }

    /// <summary>Parameters' first values: some rows of the token table or of the head; of both where they are tied and only the table is named.</summary>
    /// <param name="tokensByName">The rows in the order of the parameter, by module name.</param>
    /// <param name="add">Makes a parameter, given the module's path, shape and values.</param>
    /// <exception cref="AdapterFormatException">A token is not in the vocabulary, or named twice.</exception>
    public void AddTokenRows(IReadOnlyDictionary<string, int[]> tokensByName, Func<string, int[], float[], Parameter> add)
    {
        bool IsNamed(BaseModule module) => tokensByName.Keys.Any(name => ModuleFilter.HasName(module.Path, name));
        BaseModule head = model.Modules.First(module => module.Site == Site.Head);
        foreach ((string name, int[] tokens) in tokensByName)
        {
            foreach (BaseModule module in model.Modules.Where(module => module.Site.Role is SiteRole.Embedding or SiteRole.Head && ModuleFilter.HasName(module.Path, name)))
            {
                if (tokens.Length == 0 || tokens.Max() >= module.Outputs || tokens.Distinct().Count() != tokens.Length)
                {
                    throw new AdapterFormatException(
                        $"The tokens to train at {module.Path} are {string.Join(", ", tokens.Take(8))}; expected some below {module.Outputs}, the vocabulary, each once.");
                }

                float[] original = new float[tokens.Length * module.Inputs];
                for (int i = 0; i < tokens.Length; i++)
                {
                    model.CopyWeightRow(module.Site, tokens[i], original.AsSpan(i * module.Inputs, module.Inputs));
                }

                var rows = new TokenRows(tokens, add(module.Path, [tokens.Length, module.Inputs], [.. original]), original);
                _rows.Add((module, rows));
                if (module != head && model.TiedHead && !IsNamed(head))
                {
                    _rows.Add((head, rows));
                }
            }
        }
    }

    /// <summary>The edits that the parameters make now.</summary>
    public IEnumerable<AdapterEdit> Edits() =>
    [
        .. _weights.Select(entry => new DenseDelta(entry.Module.Site, new FloatMatrix(entry.Module.Outputs, entry.Module.Inputs, Less(entry.Values, entry.Original)))),
        .. _biases.Select(entry => new BiasDelta(entry.Module.Site, Less(entry.Values, entry.Original))),
        .. _norms.Select(entry => new NormDelta(entry.Norm.Site, Less([.. entry.Gains?.Values ?? entry.Original[..entry.Norm.Width], .. entry.Biases?.Values ?? []], entry.Original))),
        .. _rows.Select(entry => entry.Rows.Edit(entry.Module.Site)),
    ];

    /// <summary>Adds to the parameters' gradients.</summary>
    public void Pull(EditGradients gradients)
    {
        foreach ((BaseModule module, Parameter values, _) in _weights)
        {
            Add(values, module.Site.IsTable ? gradients.AtTable(module.Site)?.Table : gradients.At(module.Site)?.Dense);
        }

        foreach ((BaseModule module, Parameter values, _) in _biases)
        {
            Add(values, gradients.At(module.Site)?.Bias);
        }

        foreach ((BaseNorm norm, Parameter? gains, Parameter? biases, _) in _norms)
        {
            gradients.At(norm.Site)?.AddTo(norm.Width, gains, biases);
        }

        foreach ((BaseModule module, TokenRows rows) in _rows)
        {
            rows.Pull((module.Site.IsTable ? gradients.AtTable(module.Site)?.RowDeltas : gradients.At(module.Site)?.RowDeltas)!);
        }
    }

    internal static float[] Less(Parameter values, float[] original) => Less(values.Values, original);

    private static float[] Less(float[] values, float[] original)
    {
        float[] delta = new float[original.Length];
        TensorPrimitives.Subtract(values, original, delta);
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
