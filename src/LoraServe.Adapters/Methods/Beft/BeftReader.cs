using LoraServe.Adapters.Files;
using LoraServe.Adapters.Methods.Reading;
using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.Beft;

/// <summary>BEFT (2025): a bias of its own at the targeted maps, also where the base has none.</summary>
internal sealed class BeftReader : ModuleReader
{
    private BeftReader(BeftConfig config, AdapterTensors tensors, IBaseModel model)
        : base(config.Modules, tensors, model)
    {
    }

    /// <inheritdoc />
    protected override string Name => "BEFT";

    /// <summary>Reads an adapter.</summary>
    /// <exception cref="AdapterFormatException">A field or a tensor is wrong, missing or not supported.</exception>
    public static AdapterContent Read(ConfigFields fields, AdapterTensors tensors, IBaseModel model) =>
        new BeftReader(BeftConfig.Read(fields), tensors.WithPrefix(AdapterFiles.PeftPrefix), model).Read();

    /// <inheritdoc />
    protected override void ReadTarget(ModuleEdits edits)
    {
        BaseModule module = edits.Module;
        edits.AddBias(Tensors.Matrix($"{module.Path}.beft_bias", 1, module.Outputs, $"{module.Path} has {module.Outputs} outputs in the base").Values);
    }
}
