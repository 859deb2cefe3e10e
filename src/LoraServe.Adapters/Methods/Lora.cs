using System.Numerics.Tensors;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Files;
using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods;

/// <summary>LoRA (Hu et al. 2021) and its variants as PEFT stores them: tensors become edits.</summary>
internal sealed class Lora(LoraConfig config, AdapterTensors tensors, IBaseModel model)
{
    private readonly List<ModuleEdits> _modules = [];
    private readonly List<NormDelta> _norms = [];
    private readonly HashSet<string> _namesFound = new(StringComparer.Ordinal);

    /// <summary>Reads every module of the base that the configuration or the file edits.</summary>
    /// <exception cref="AdapterFormatException">A tensor is missing, does not fit, or nothing in the base takes it.</exception>
    public AdapterContent Read()
    {
        foreach (BaseModule module in model.Modules)
        {
            var edits = new ModuleEdits(module);
            bool targeted = IsTargeted(module);
            ReadWholeWeight(edits);
            if (targeted)
            {
                ReadPair(edits);
            }

            ReadBias(edits, targeted);
            ReadTokenRows(edits);
            if (targeted || edits.Edits().Any())
            {
                _modules.Add(edits);
            }
        }

        foreach (BaseNorm norm in model.Norms.Where(norm => IsSaved(norm.Path)))
        {
            if (tensors.Vector($"{norm.Path}.weight", norm.Width, $"{norm.Path} is in modules_to_save").LessBase(model.Gains(norm)) is { } delta)
            {
                _norms.Add(new NormDelta(norm.Site, delta));
            }
        }

        RefuseWhatIsLeft();
        if (config.InvocationTokens.FirstOrDefault(token => token >= model.VocabularySize, -1) is >= 0 and int foreign)
        {
            throw new AdapterFormatException($"{tensors.File}: alora_invocation_tokens holds {foreign}; expected tokens below {model.VocabularySize}, the base's vocabulary. Load it on the base it was made for.");
        }

        IEnumerable<string> unmatched = config.Targets.Unmatched(model.Modules)
            .Concat(config.ModulesToSave.Where(name => !_namesFound.Contains(name)))
            .Concat(config.TrainableTokens.Keys.Where(name => !_namesFound.Contains(name)));
        return new AdapterContent(config.Method, _modules, _norms, [.. unmatched], [.. config.InvocationTokens]);
    }

    private BaseModule Table => model.Modules.First(module => module.Site == Site.Embedding);

    private bool IsTargeted(BaseModule module) =>
        config.Targets.Targets(module)
        || (module.Site == Site.Head && model.TiedHead && config.Targets.Targets(Table) && tensors.Has($"{module.Path}.lora_A.weight"));

    private bool IsSaved(string path)
    {
        bool saved = false;
        foreach (string name in config.ModulesToSave.Where(name => path.EndsWith(name, StringComparison.Ordinal)))
        {
            saved = _namesFound.Add(name) || true;
        }

        return saved;
    }

    // modules_to_save replaces a module; targeting the table or the head stores the weight below the pair as well.
    private void ReadWholeWeight(ModuleEdits edits)
    {
        BaseModule module = edits.Module;
        bool saved = IsSaved(module.Path) || (module.Site == Site.Head && model.TiedHead && IsSaved(Table.Path) && tensors.Has($"{module.Path}.weight"));
        string name = saved ? $"{module.Path}.weight" : $"{module.Path}.base_layer.weight";
        if (saved || tensors.Has(name))
        {
            FloatMatrix weight = tensors.Matrix(name, module.Outputs, module.Inputs, $"the base's {module.Path}");
            edits.Dense = weight.Values.LessBase(model.Weight(module).Values) is null ? null : weight;
        }

        string bias = $"{module.Path}.bias";
        if (saved && module.HasBias && tensors.Has(bias))
        {
            edits.Bias = tensors.Vector(bias, module.Outputs, $"the base's {module.Path}").LessBase(model.Bias(module));
        }
    }

    private void ReadPair(ModuleEdits edits)
    {
        BaseModule module = edits.Module;
        string path = module.Path;
        int rank = config.Rank(path);
        float scale = config.Scale(path);
        string because = $"{path} is [{module.Outputs}, {module.Inputs}] in the base and has rank {rank} in the configuration";
        LowRank pair = module.Site == Site.Embedding
            ? new LowRank(
                module.Site,
                tensors.Matrix($"{path}.lora_embedding_A", rank, module.Outputs, because),
                tensors.Matrix($"{path}.lora_embedding_B", module.Inputs, rank, because),
                scale)
            : ReadLinearPair(module, rank, scale, because);
        edits.Pairs.Add(pair);
        if (config.HasLoraBias && module.Site != Site.Embedding)
        {
            edits.Bias = Array.ConvertAll(tensors.Vector($"{path}.lora_B.bias", module.Outputs, because), value => value * scale);
        }

        AddResidual(edits, rank, scale);
        if (config.UsesDora)
        {
            ReadMagnitude(edits, because);
        }
    }

    private LowRank ReadLinearPair(BaseModule module, int rank, float scale, string because)
    {
        (string a, string b) = ($"{module.Path}.lora_A.weight", $"{module.Path}.lora_B.weight");
        BlockDiagonalConfig? blocks = config.BlockDiagonal;
        return new LowRank(
            module.Site,
            blocks?.ForA(module) is { } blocksOfA ? blocksOfA.Read(tensors, a, rank, module.Inputs, because) : tensors.Matrix(a, rank, module.Inputs, because),
            blocks?.ForB(module) is { } blocksOfB ? blocksOfB.Read(tensors, b, module.Outputs, rank, because) : tensors.Matrix(b, module.Outputs, rank, because),
            scale);
    }

    private void AddResidual(ModuleEdits edits, int rank, float scale)
    {
        BaseModule module = edits.Module;
        if (config.Initialization == LoraInitialization.Original || module.Site == Site.Embedding)
        {
            return;
        }

        FloatMatrix weight = model.Weight(module);
        switch (config.Initialization)
        {
            case LoraInitialization.Pissa:
                edits.Pairs.Add(Residual.Pissa(module.Site, weight, rank));
                break;
            case LoraInitialization.Olora:
                edits.Pairs.Add(Residual.Olora(module.Site, weight, rank, scale));
                break;
            default:
                edits.Dense = Residual.Loftq(module.Site, weight, rank, config.LoftqIterations).Values;
                break;
        }
    }

    private void ReadMagnitude(ModuleEdits edits, string because)
    {
        BaseModule module = edits.Module;
        bool isTable = module.Site == Site.Embedding;
        string name = $"{module.Path}.lora_magnitude_vector";
        float[] magnitude = tensors.Vector(tensors.Has(name) ? name : $"{name}.weight", isTable ? module.Inputs : module.Outputs, because);
        float[] norms = new float[magnitude.Length];
        Dora.Norms(model, module, edits.Pairs, edits.Dense, norms);
        edits.OutputScale = [.. magnitude.Zip(norms, (m, norm) => m / norm)];
        if (Array.FindIndex(edits.OutputScale, value => !float.IsFinite(value)) is >= 0 and int bad)
        {
            throw new AdapterFormatException($"{tensors.File}: at {module.Path}, output {bad}, the adapted weight is zero, so that DoRA cannot give it a magnitude. The adapter does not belong to this base.");
        }
    }

    private void ReadBias(ModuleEdits edits, bool targeted)
    {
        BaseModule module = edits.Module;
        string name = targeted ? $"{module.Path}.base_layer.bias" : $"{module.Path}.bias";
        if (module.HasBias && (config.Bias == "all" || (config.Bias == "lora_only" && targeted)) && tensors.Has(name)
            && tensors.Vector(name, module.Outputs, $"the base's {module.Path}").LessBase(model.Bias(module)) is { } delta)
        {
            edits.Bias = edits.Bias is null ? delta : [.. edits.Bias.Zip(delta, (a, b) => a + b)];
        }
    }

    private void ReadTokenRows(ModuleEdits edits)
    {
        BaseModule module = edits.Module;
        foreach ((string name, int[] tokens) in config.TrainableTokens)
        {
            bool named = module.Path == name || module.Path.EndsWith($".{name}", StringComparison.Ordinal);
            if (!named && !(module.Site == Site.Head && model.TiedHead && (Table.Path == name || Table.Path.EndsWith($".{name}", StringComparison.Ordinal)) && edits.Rows is null))
            {
                continue;
            }

            _namesFound.Add(name);
            string path = named ? module.Path : Table.Path;
            FloatMatrix rows = tensors.Matrix($"{path}.token_adapter.trainable_tokens_delta", tokens.Length, module.Inputs, $"{tokens.Length} tokens in trainable_token_indices, {module.Inputs} elements a row");
            edits.Rows = RowsOf(module, tokens, rows);
        }
    }

    private RowsDelta RowsOf(BaseModule module, int[] tokens, FloatMatrix rows)
    {
        int[] order = [.. Enumerable.Range(0, tokens.Length).OrderBy(i => tokens[i])];
        int[] sorted = [.. order.Select(i => tokens[i])];
        if (sorted.Length > 0 && sorted[^1] >= module.Outputs)
        {
            throw new AdapterFormatException($"{tensors.File}: trainable_token_indices holds {sorted[^1]}; expected tokens below {module.Outputs}, the base's vocabulary. Load it on the base it was made for.");
        }

        if (sorted.Distinct().Count() != sorted.Length)
        {
            throw new AdapterFormatException($"{tensors.File}: trainable_token_indices names a token twice; expected each once.");
        }

        var deltas = new FloatMatrix(sorted.Length, module.Inputs);
        float[] original = new float[module.Inputs];
        for (int i = 0; i < sorted.Length; i++)
        {
            model.CopyWeightRow(module.Site, sorted[i], original);
            rows.Row(order[i]).CopyTo(deltas.Row(i));
            TensorPrimitives.Subtract(deltas.Row(i), original, deltas.Row(i));
        }

        return new RowsDelta(module.Site, sorted, deltas);
    }

    private void RefuseWhatIsLeft()
    {
        string[] left = [.. tensors.Untaken.Take(4)];
        if (_modules.Count == 0 && _norms.Count == 0)
        {
            throw new AdapterFormatException($"{tensors.File}: matches no module of the base (it targets {config.Targets.Describe()}; the base has {string.Join(", ", model.Modules.Select(module => module.Name).Distinct())}). Load it on the base it was made for.");
        }

        if (left.Length > 0)
        {
            throw new AdapterFormatException($"{tensors.File}: {tensors.Untaken.Count()} tensors belong to no module that the base has and the configuration targets, first {string.Join(", ", left.Select(name => $"'{name}'"))}. Load the adapter on the base it was made for, or save it again.");
        }
    }
}
