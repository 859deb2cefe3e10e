using LoraServe.Adapters.Files;
using LoraServe.Adapters.Methods.Reading;
using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.Ia3;

/// <summary>(IA)³ (Liu et al. 2022): outputs (the bias too), or in the feed-forward the inputs, are scaled one by one.</summary>
internal sealed class Ia3Reader : ModuleReader
{
    private readonly Ia3Config _config;

    private Ia3Reader(Ia3Config config, AdapterTensors tensors, IBaseModel model)
        : base(config.Modules, tensors, model) => _config = config;

    /// <inheritdoc />
    protected override string Name => "IA3";

    /// <summary>Reads an adapter.</summary>
    /// <exception cref="AdapterFormatException">A field or a tensor is wrong, missing or not supported.</exception>
    public static AdapterContent Read(ConfigFields fields, AdapterTensors tensors, IBaseModel model) =>
        new Ia3Reader(Ia3Config.Read(fields), tensors.WithPrefix(AdapterFiles.PeftPrefix), model).Read();

    /// <inheritdoc />
    protected override void ReadTarget(ModuleEdits edits)
    {
        BaseModule module = edits.Module;
        string name = $"{module.Path}.ia3_l";
        if (_config.ScalesInputs(module.Path))
        {
            edits.InputScale = Tensors.Matrix(name, 1, module.Inputs, $"{module.Path} is one of feedforward_modules and has {module.Inputs} inputs in the base").Values;
            return;
        }

        float[] scale = Tensors.Matrix(name, module.Outputs, 1, $"{module.Path} is none of feedforward_modules and has {module.Outputs} outputs in the base").Values;
        edits.OutputScale = scale;
        if (module.HasBias)
        {
            edits.AddBias([.. scale.Zip(Model.Bias(module), (l, bias) => (l - 1) * bias)]);
        }
    }
}
