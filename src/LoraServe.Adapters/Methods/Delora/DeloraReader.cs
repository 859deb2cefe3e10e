using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Files;
using LoraServe.Adapters.Methods.Reading;
using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.Delora;

/// <summary>DeLoRA (Bini et al. 2025): a low-rank pair whose terms have norms that are trained apart from their directions.</summary>
internal sealed class DeloraReader : ModuleReader
{
    private readonly DeloraConfig _config;

    private DeloraReader(DeloraConfig config, AdapterTensors tensors, IBaseModel model)
        : base(config.Modules, tensors, model) => _config = config;

    /// <inheritdoc />
    protected override string Name => "DeLoRA";

    /// <summary>Reads an adapter.</summary>
    /// <exception cref="AdapterFormatException">A field or a tensor is wrong, missing or not supported.</exception>
    public static AdapterContent Read(ConfigFields fields, AdapterTensors tensors, IBaseModel model) =>
        new DeloraReader(DeloraConfig.Read(fields), tensors.WithPrefix(AdapterFiles.PeftPrefix), model).Read();

    /// <inheritdoc />
    protected override void ReadTarget(ModuleEdits edits)
    {
        (string path, int outputs, int inputs) = (edits.Module.Path, edits.Module.Outputs, edits.Module.Inputs);
        int rank = _config.Rank(path);
        string because = $"{path} is [{outputs}, {inputs}] in the base and has rank {rank} in the configuration";
        var pair = new NormalisedPair(
            Tensors.Matrix($"{path}.delora_A", rank, inputs, because),
            Tensors.Matrix($"{path}.delora_B", outputs, rank, because),
            Tensors.Vector($"{path}.delora_lambda", 1, "one bound for a module")[0],
            Tensors.Vector($"{path}.delora_w_norm", inputs, because));
        LowRank edit = pair.Edit(edits.Module.Site);
        RequireFinite(edit.A, $"{path}.delora_lambda", "a bound, norms and directions of which the change is finite");
        edits.Pairs.Add(edit);
    }
}
