using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Files;
using LoraServe.Adapters.Methods.Reading;
using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.Lora;

/// <summary>LoRA (Hu et al. 2021) and its variants as PEFT stores them: tensors become edits.</summary>
internal sealed class LoraReader : ModuleReader
{
    private readonly LoraConfig _config;

    private LoraReader(LoraConfig config, AdapterTensors tensors, IBaseModel model)
        : base(config.Modules, tensors, model) => _config = config;

    /// <inheritdoc />
    protected override string Name => _config.Method;

    /// <inheritdoc />
    protected override bool EditsTable => true;

    /// <inheritdoc />
    protected override IReadOnlyList<int> InvocationTokens => _config.InvocationTokens;

    /// <inheritdoc />
    protected override bool IsMadeOfWeight => _config.UsesKasa;

    /// <summary>Reads an adapter.</summary>
    /// <exception cref="AdapterFormatException">A field or a tensor is wrong, missing or not supported.</exception>
    public static AdapterContent Read(ConfigFields fields, AdapterTensors tensors, IBaseModel model)
    {
        LoraConfig config = LoraConfig.Read(fields);
        if (config.InvocationTokens.FirstOrDefault(token => token >= model.VocabularySize, -1) is >= 0 and int foreign)
        {
            throw new AdapterFormatException($"{fields.File}: alora_invocation_tokens holds {foreign}; expected tokens below {model.VocabularySize}, the base's vocabulary. Load it on the base it was made for.");
        }

        return new LoraReader(config, tensors.WithPrefix(AdapterFiles.PeftPrefix), model).Read();
    }

    /// <inheritdoc />
    protected override bool IsTargeted(BaseModule module) =>
        base.IsTargeted(module)
        || (module.Site == Site.Head && Model.TiedHead && base.IsTargeted(Table) && Tensors.Has($"{module.Path}.lora_A.weight"));

    /// <inheritdoc />
    protected override void ReadTarget(ModuleEdits edits)
    {
        BaseModule module = edits.Module;
        string path = module.Path;
        int rank = _config.Rank(path);
        float scale = _config.Scale(path);
        string because = $"{path} is [{module.Outputs}, {module.Inputs}] in the base and has rank {rank} in the configuration";
        LowRank pair = module.Site.IsTable
            ? new LowRank(
                module.Site,
                Tensors.Matrix($"{path}.lora_embedding_A", rank, module.Outputs, because),
                Tensors.Matrix($"{path}.lora_embedding_B", module.Inputs, rank, because),
                scale)
            : ReadLinearPair(module, rank, scale, because);
        edits.Pairs.Add(pair);
        if (_config.HasLoraBias && !module.Site.IsTable)
        {
            edits.AddBias(Array.ConvertAll(Tensors.Vector($"{path}.lora_B.bias", module.Outputs, because), value => value * scale));
        }

        AddResidual(edits, rank, scale);
        if (_config.UsesDora)
        {
            ReadMagnitude(edits, because);
        }
    }

    private LowRank ReadLinearPair(BaseModule module, int rank, float scale, string because)
    {
        string b = $"{module.Path}.lora_B.weight";
        FloatMatrix a = ReadA(module, rank, because);
        _config.Sampling.Take(Tensors, module, rank);
        return new LowRank(
            module.Site,
            _config.UsesKasa ? a.WithScaledRows(Tensors.Vector($"{module.Path}.lora_diag", rank, because)) : a,
            _config.BlockDiagonal?.ForB(module) is { } blocks ? blocks.Read(Tensors, b, module.Outputs, rank, because) : Tensors.Matrix(b, module.Outputs, rank, because),
            scale);
    }

    private FloatMatrix ReadA(BaseModule module, int rank, string because)
    {
        string name = $"{module.Path}.lora_A.weight";
        if (_config.BlockDiagonal?.ForA(module) is { } blocks)
        {
            return blocks.Read(Tensors, name, rank, module.Inputs, because);
        }

        // PEFT pools inputs at GPTQ's weights only; elsewhere A is a plain one.
        return _config.PooledGroup is { } group && Tensors.Has(name) && Tensors.Shape(name) is [_, var pooled] && pooled != module.Inputs
            ? Unpooled(module, rank, group, name, because)
            : Tensors.Matrix(name, rank, module.Inputs, because);
    }

    /// <summary>QA-LoRA (Xu et al. 2023): A reads the mean of each group of inputs, times the number of groups.</summary>
    private FloatMatrix Unpooled(BaseModule module, int rank, int group, string name, string because)
    {
        (int groups, int rest) = int.DivRem(module.Inputs, group);
        if (rest != 0)
        {
            throw new AdapterFormatException($"{Tensors.File}: qalora_group_size is {group}, and {module.Path} has {module.Inputs} inputs in the base; expected a multiple. Load it on the base it was made for.");
        }

        FloatMatrix pooled = Tensors.Matrix(name, rank, groups, $"{because}, qalora_group_size {group}");
        var a = new FloatMatrix(rank, module.Inputs);
        float factor = (float)groups / group;
        for (int k = 0; k < rank; k++)
        {
            for (int input = 0; input < module.Inputs; input++)
            {
                a.Row(k)[input] = pooled.Row(k)[input / group] * factor;
            }
        }

        return a;
    }

    private void AddResidual(ModuleEdits edits, int rank, float scale)
    {
        BaseModule module = edits.Module;
        if (module.Site.IsTable)
        {
            return;
        }

        if (_config.UsesKasa)
        {
            AddKasa(edits, rank);
            return;
        }

        // A weight that the file brings is what the initialization left of the base's.
        if (edits.BringsWeight || _config.Initialization is LoraInitialization.Original or LoraInitialization.Mica)
        {
            return;
        }

        FloatMatrix weight = Model.Weight(module);
        switch (_config.Initialization)
        {
            case LoraInitialization.Pissa:
                edits.Pairs.Add(Residual.Pissa(module.Site, weight, rank));
                break;
            case LoraInitialization.Olora:
                edits.Pairs.Add(Residual.Olora(module.Site, weight, rank, scale));
                break;
            default:
                edits.Dense = Residual.Loftq(module.Site, weight, rank, _config.LoftqIterations).Values;
                break;
        }
    }

    private void AddKasa(ModuleEdits edits, int rank)
    {
        BaseModule module = edits.Module;
        if (rank >= Math.Min(module.Outputs, module.Inputs))
        {
            throw new AdapterFormatException($"{Tensors.File}: KaSA takes {rank} singular values (r) of {module.Path} away, which is [{module.Outputs}, {module.Inputs}] in the base; expected fewer than the lesser of both. Lower r, or load it on the base it was made for.");
        }

        edits.Pairs.Add(Residual.Kasa(module.Site, Model.Weight(module), rank));
    }

    private void ReadMagnitude(ModuleEdits edits, string because)
    {
        BaseModule module = edits.Module;
        bool isTable = module.Site.IsTable;
        string name = $"{module.Path}.lora_magnitude_vector";
        float[] magnitude = Tensors.Vector(Tensors.Has(name) ? name : $"{name}.weight", isTable ? module.Inputs : module.Outputs, because);
        float[] norms = new float[magnitude.Length];
        Dora.Norms(Model, module, edits.Pairs, edits.Dense, norms);
        edits.OutputScale = [.. magnitude.Zip(norms, (m, norm) => m / norm)];
        if (Array.FindIndex(edits.OutputScale, value => !float.IsFinite(value)) is >= 0 and int bad)
        {
            throw new AdapterFormatException($"{Tensors.File}: at {module.Path}, output {bad}, the adapted weight is zero, so that DoRA cannot give it a magnitude. The adapter does not belong to this base.");
        }
    }
}
