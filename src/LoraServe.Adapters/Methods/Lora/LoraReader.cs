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
        (string a, string b) = ($"{module.Path}.lora_A.weight", $"{module.Path}.lora_B.weight");
        BlockDiagonalConfig? blocks = _config.BlockDiagonal;
        return new LowRank(
            module.Site,
            blocks?.ForA(module) is { } blocksOfA ? blocksOfA.Read(Tensors, a, rank, module.Inputs, because) : Tensors.Matrix(a, rank, module.Inputs, because),
            blocks?.ForB(module) is { } blocksOfB ? blocksOfB.Read(Tensors, b, module.Outputs, rank, because) : Tensors.Matrix(b, module.Outputs, rank, because),
            scale);
    }

    private void AddResidual(ModuleEdits edits, int rank, float scale)
    {
        BaseModule module = edits.Module;
        if (_config.Initialization == LoraInitialization.Original || module.Site.IsTable)
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
