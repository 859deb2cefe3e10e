using System.Text.Json.Nodes;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Files;
using LoraServe.Adapters.Gradients;
using LoraServe.Adapters.LinearAlgebra;
using LoraServe.Adapters.Methods.Training;
using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.Lora;

/// <summary>LoRA (Hu et al. 2021, arXiv:2106.09685) and what PEFT keeps in the same format.</summary>
/// <remarks>
/// rsLoRA (arXiv:2312.03732) is another scale, DoRA (arXiv:2402.09353) a magnitude for each output, PiSSA (arXiv:2404.02948) and
/// OLoRA (arXiv:2406.01775) other first values on what they leave of the base, LoRA+ (arXiv:2402.12354) another rate for B.
/// </remarks>
internal sealed class TrainableLora : TrainableAdapter, IGrowingRank
{
    private const int SeedsPerRank = 1_000_003;
    private readonly LoraConfig _config;
    private readonly TrainableOptions _options;
    private readonly bool _drawsNormally;
    private readonly List<(BaseModule Module, TrainablePair Pair)> _pairs = [];
    private readonly ReplacedParameters _replaced;
    private readonly List<TrainableTablePair> _tables = [];
    private readonly Parameter? _sharedWithHead;

    /// <summary>Parameters of the configuration's shape; the model is the base until they are changed.</summary>
    public TrainableLora(JsonObject config, IBaseModel model, TrainableOptions options)
        : base(config, model)
    {
        _config = LoraConfig.Read(PeftConfig.Fields(config));
        _options = options;
        _drawsNormally = config["init_lora_weights"]?.ToString() == "gaussian";
        _replaced = new ReplacedParameters(model);
        if (_config.ServedOnly is { } variant)
        {
            throw new AdapterFormatException($"{variant} adapters can be served, not trained. Leave out of the configuration what makes it one.");
        }

        bool ensuresTying = model.TiedHead && PeftConfig.Fields(config).Flag("ensure_weight_tying", false);
        BaseModule head = model.Modules.First(module => module.Site == Site.Head);
        foreach (BaseModule module in model.Modules)
        {
            bool isTargeted = _config.Modules.Targets.Targets(module);
            if (isTargeted && module.Site.IsTable)
            {
                if (ensuresTying)
                {
                    throw new AdapterFormatException(
                        $"ensure_weight_tying is true and {module.Path} is targeted; a pair that the table shares with the head can be served, not trained.");
                }

                _tables.Add(AddTablePair(module, options));
            }
            else if (isTargeted)
            {
                _pairs.Add((module, AddPair(module, options.Seed + _pairs.Count, options)));
            }

            if (_config.Modules.ModulesToSave.Any(name => module.Path.EndsWith(name, StringComparison.Ordinal)))
            {
                bool isShared = ensuresTying && module.Site == Site.Embedding;
                BaseModule[] users = isShared ? [module, head] : [module];
                _replaced.AddWeight(users, values => Add($"{AdapterFiles.PeftPrefix}{module.Path}.weight", [module.Outputs, module.Inputs], values));
                if (isShared)
                {
                    _sharedWithHead = Parameters[^1].Named($"{AdapterFiles.PeftPrefix}{head.Path}.weight");
                }
            }

            if (module.HasBias && (_config.Modules.ReplacesBiases || (_config.Modules.ReplacesBiasesOfTargets && isTargeted)))
            {
                string name = $"{AdapterFiles.PeftPrefix}{module.Path}.{(isTargeted ? "base_layer." : "")}bias";
                _replaced.AddBias(module, values => Add(name, [module.Outputs], values));
            }
        }

        _replaced.AddTokenRows(
            _config.Modules.TrainableTokens,
            (path, shape, values) => Add($"{AdapterFiles.PeftPrefix}{path}.token_adapter.trainable_tokens_delta", shape, values));
        foreach (BaseNorm norm in model.Norms.Where(norm => norm.HasBias && _config.Modules.ReplacesBiases && !IsSaved(norm)))
        {
            _replaced.AddNormBias(norm, values => Add($"{AdapterFiles.PeftPrefix}{norm.Path}.bias", [norm.Width], values));
        }

        foreach (BaseNorm norm in model.Norms.Where(IsSaved))
        {
            _replaced.AddNorm(norm, (part, values) => Add($"{AdapterFiles.PeftPrefix}{norm.Path}.{part}", [norm.Width], values));
        }
    }

    private bool IsSaved(BaseNorm norm) => _config.Modules.ModulesToSave.Any(name => norm.Path.EndsWith(name, StringComparison.Ordinal));

    /// <summary>The pairs at linear maps.</summary>
    internal IReadOnlyList<(BaseModule Module, TrainablePair Pair)> Pairs => _pairs;

    /// <inheritdoc />
    public int Rank => _pairs.Count > 0 ? _pairs.Max(entry => entry.Pair.A.Shape[0]) : 0;

    /// <inheritdoc />
    /// <remarks>Not where the base was changed by the first values, nor at the token table.</remarks>
    public bool CanGrow => _pairs.Count > 0 && _tables.Count == 0 && _config.Initialization == LoraInitialization.Original;

    /// <inheritdoc />
    /// <remarks>Alpha grows with the rank.</remarks>
    public TrainableAdapter Grown(int rank)
    {
        var config = (JsonObject)Config.DeepClone();
        ConfigFields fields = PeftConfig.Fields(config);
        (int before, double alpha) = (fields.Integer("r", 1) ?? Rank, fields.Number("lora_alpha") ?? Rank);
        double growth = (double)rank / before;
        config["r"] = rank;
        config["lora_alpha"] = alpha * (fields.Flag("use_rslora", false) ? Math.Sqrt(growth) : growth);
        (config["rank_pattern"], config["alpha_pattern"]) = (new JsonObject(), new JsonObject());
        var grown = new TrainableLora(config, Model, _options);
        Dictionary<string, Parameter> parameters = Parameters.ToDictionary(parameter => parameter.Name);
        int seed = unchecked(_options.Seed + (rank * SeedsPerRank));
        foreach (((_, TrainablePair from), (_, TrainablePair to)) in _pairs.Zip(grown._pairs))
        {
            LowRank pair = RankChange.Grow(from.Edit, rank, seed++, to.Scale);
            pair.A.Values.CopyTo(to.A.Values, 0);
            pair.B.Values.CopyTo(to.B.Values, 0);
            parameters.Remove(from.A.Name);
            parameters.Remove(from.B.Name);
        }

        foreach (Parameter parameter in grown.Parameters.Where(parameter => parameters.ContainsKey(parameter.Name)))
        {
            parameters[parameter.Name].Values.CopyTo(parameter.Values, 0);
        }

        return grown;
    }

    public override IReadOnlyList<AdapterEdit> Edits()
    {
        IEnumerable<AdapterEdit> edits = _pairs.SelectMany(entry => entry.Pair.Edits()).Concat(_replaced.Edits());
        return [.. _tables.Select(table => table.Edit), .. edits];
    }

    public override void Pull(EditGradients gradients)
    {
        foreach ((BaseModule module, TrainablePair pair) in _pairs)
        {
            pair.Pull(gradients.At(module.Site)!);
        }

        foreach (TrainableTablePair table in _tables)
        {
            table.Pull(gradients.AtTable(table.Module.Site)!);
        }

        _replaced.Pull(gradients);
    }

    internal override IEnumerable<Parameter> Saved() => _sharedWithHead is null ? Parameters : [.. Parameters, _sharedWithHead];

    private protected override void Load(ConfigFields source, AdapterTensors tensors)
    {
        LoraConfig config = LoraConfig.Read(source);
        Parameter[] factors =
        [
            .. _pairs.SelectMany(entry => LoadPair(tensors, config, entry.Module, entry.Pair.A, entry.Pair.B, entry.Pair.Scale)),
            .. _tables.SelectMany(table => LoadPair(tensors, config, table.Module, table.A, table.B, table.Edit.Scale)),
        ];
        Load(tensors, Parameters.Except(factors));
    }

    /// <summary>Takes over a pair, brought to the rank and the scale that it is to have here.</summary>
    private Parameter[] LoadPair(AdapterTensors tensors, LoraConfig source, BaseModule module, Parameter a, Parameter b, float scale)
    {
        int rank = source.Rank(module.Path);
        string because = $"rank {rank} in the configuration";
        var pair = new LowRank(
            module.Site, tensors.Matrix(a.Name, rank, a.Shape[1], because), tensors.Matrix(b.Name, b.Shape[0], rank, because), source.Scale(module.Path));
        if (rank != a.Shape[0] || pair.Scale != scale)
        {
            if (_config.Initialization != LoraInitialization.Original)
            {
                throw new AdapterFormatException(
                    $"{tensors.File}: {_config.Method} depends on its rank and scale, {rank} and {pair.Scale}; keep them, or convert it to plain LoRA.");
            }

            pair = RankChange.To(pair, a.Shape[0], scale, new FloatMatrix(a.Shape[0], a.Shape[1], a.Values));
        }

        pair.A.Values.CopyTo(a.Values, 0);
        pair.B.Values.CopyTo(b.Values, 0);
        return [a, b];
    }

    private TrainablePair AddPair(BaseModule module, int seed, TrainableOptions options)
    {
        int rank = _config.Rank(module.Path);
        float scale = _config.Scale(module.Path);
        string path = AdapterFiles.PeftPrefix + module.Path;
        (float[] a, float[] b, LowRank? residual) = FirstValues(module, rank, scale, seed, options);
        return new TrainablePair(
            Model,
            module,
            Add($"{path}.lora_A.weight", [rank, module.Inputs], a),
            Add($"{path}.lora_B.weight", [module.Outputs, rank], b, options.RateRatioOfB),
            scale)
        {
            Residual = residual,
            Magnitude = _config.UsesDora ? Add($"{path}.lora_magnitude_vector", [module.Outputs], TrainablePair.NormsOfBase(Model, module)) : null,
            Bias = _config.HasLoraBias ? Add($"{path}.lora_B.bias", [module.Outputs]) : null,
        };
    }

    /// <summary>A drawn and B zero; or the greatest part of the base's weight, with what is left as the base.</summary>
    private (float[] A, float[] B, LowRank? Residual) FirstValues(BaseModule module, int rank, float scale, int seed, TrainableOptions options)
    {
        if (_config.Initialization == LoraInitialization.Original)
        {
            float[] a = _drawsNormally
                ? Initialization.Normal(checked(rank * module.Inputs), 1f / rank, seed)
                : Initialization.KaimingUniform(rank, module.Inputs, seed);
            return (a, new float[module.Outputs * rank], null);
        }

        if (_config.Initialization == LoraInitialization.Olora)
        {
            LowRank removed = Residual.Olora(module.Site, Model.Weight(module), rank, scale);
            return ([.. removed.A.Values], [.. removed.B.Values], removed);
        }

        // U·S·Vᵀ shared evenly: both factors get the roots of the singular values, less LoRA's scale.
        LowRank principal = Residual.Pissa(module.Site, Model.Weight(module), rank);
        float[] right = [.. principal.A.Values];
        float[] left = [.. principal.B.Values];
        for (int k = 0; k < rank; k++)
        {
            float value = Norm(left, rank, k);
            float root = MathF.Sqrt(value / scale);
            System.Numerics.Tensors.TensorPrimitives.Multiply(right.AsSpan(k * module.Inputs, module.Inputs), root, right.AsSpan(k * module.Inputs, module.Inputs));
            for (int output = 0; output < module.Outputs; output++)
            {
                left[(output * rank) + k] *= value > 0 ? root / value : 0;
            }
        }

        return (right, left, principal);
    }

    private static float Norm(float[] columns, int count, int column)
    {
        double sum = 0;
        for (int i = column; i < columns.Length; i += count)
        {
            sum += (double)columns[i] * columns[i];
        }

        return (float)Math.Sqrt(sum);
    }

    private TrainableTablePair AddTablePair(BaseModule module, TrainableOptions options)
    {
        if (_config.UsesDora)
        {
            throw new AdapterFormatException($"DoRA can be trained at linear maps, not at {module.Path}. Take it out of target_modules.");
        }

        int rank = _config.Rank(module.Path);
        string path = AdapterFiles.PeftPrefix + module.Path;
        return new TrainableTablePair(
            module,
            Add($"{path}.lora_embedding_A", [rank, module.Outputs]),
            Add($"{path}.lora_embedding_B", [module.Inputs, rank], Initialization.Normal(checked(module.Inputs * rank), 1, options.Seed), options.RateRatioOfB),
            _config.Scale(module.Path));
    }
}
