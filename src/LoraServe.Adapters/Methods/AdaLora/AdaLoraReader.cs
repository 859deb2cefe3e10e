using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Files;
using LoraServe.Adapters.Methods.Reading;
using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.AdaLora;

/// <summary>AdaLoRA (Zhang et al. 2023): W + scale·B·diag(E)·A, of which training has taken away the ranks that did least.</summary>
internal sealed class AdaLoraReader : ModuleReader
{
    private readonly AdaLoraConfig _config;

    private AdaLoraReader(AdaLoraConfig config, AdapterTensors tensors, IBaseModel model)
        : base(config.Modules, tensors, model) => _config = config;

    /// <inheritdoc />
    protected override string Name => "AdaLoRA";

    /// <summary>Reads an adapter.</summary>
    /// <exception cref="AdapterFormatException">A field or a tensor is wrong, missing or not supported.</exception>
    public static AdapterContent Read(ConfigFields fields, AdapterTensors tensors, IBaseModel model) =>
        new AdaLoraReader(AdaLoraConfig.Read(fields), tensors.WithPrefix(AdapterFiles.PeftPrefix), model).Read();

    /// <inheritdoc />
    protected override void ReadTarget(ModuleEdits edits)
    {
        BaseModule module = edits.Module;
        int rank = _config.Rank(module.Path);
        string because = $"{module.Path} is [{module.Outputs}, {module.Inputs}] in the base and has kept {rank} of {_config.InitialRank} ranks in the configuration";
        FloatMatrix a = Tensors.Matrix($"{module.Path}.lora_A", rank, module.Inputs, because);
        FloatMatrix b = Tensors.Matrix($"{module.Path}.lora_B", module.Outputs, rank, because);
        FloatMatrix diagonal = Tensors.Matrix($"{module.Path}.lora_E", rank, 1, because);
        if (rank > 0)
        {
            edits.Pairs.Add(new LowRank(module.Site, a.WithScaledRows(diagonal.Values), b, _config.Scale));
        }
    }
}
