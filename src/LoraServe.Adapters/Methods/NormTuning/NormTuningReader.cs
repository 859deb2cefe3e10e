using LoraServe.Adapters.Files;
using LoraServe.Adapters.Methods.Reading;
using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.NormTuning;

/// <summary>LN tuning (Zhao et al. 2023): the gains of norms are replaced.</summary>
internal sealed class NormTuningReader : ModuleReader
{
    private readonly TargetConfig _config;

    private NormTuningReader(TargetConfig config, AdapterTensors tensors, IBaseModel model)
        : base(config, tensors, model) => _config = config;

    /// <inheritdoc />
    protected override string Name => "LN tuning";

    /// <summary>Reads an adapter.</summary>
    /// <exception cref="AdapterFormatException">A field or a tensor is wrong, missing or not supported.</exception>
    public static AdapterContent Read(ConfigFields fields, AdapterTensors tensors, IBaseModel model)
    {
        var config = new TargetConfig(fields);
        PeftConfig.RefuseTheRest(fields);
        return new NormTuningReader(config, tensors.WithPrefix(AdapterFiles.PeftPrefix), model).Read();
    }

    /// <inheritdoc />
    protected override bool IsTargeted(BaseModule module) =>
        base.IsTargeted(module)
            ? throw new AdapterFormatException($"{Tensors.File}: the configuration targets {module.Path}, which is no norm. Save the adapter with the norms alone, and modules in modules_to_save.")
            : false;

    /// <inheritdoc />
    protected override string? NormTensor(BaseNorm norm) =>
        _config.Targets.Targets(norm.Path) ? $"{norm.Path}.ln_tuning_layers.weight" : base.NormTensor(norm);

    /// <inheritdoc />
    protected override void ReadTarget(ModuleEdits edits) => throw new InvalidOperationException("No module is targeted.");
}
