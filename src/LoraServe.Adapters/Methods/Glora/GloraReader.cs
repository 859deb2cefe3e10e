using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Files;
using LoraServe.Adapters.Gradients;
using LoraServe.Adapters.Methods.Reading;
using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.Glora;

/// <summary>GLoRA (Chavan et al. 2023): weights and biases are scaled, shifted and coupled.</summary>
internal sealed class GloraReader : ModuleReader
{
    private readonly GloraConfig _config;

    private GloraReader(GloraConfig config, AdapterTensors tensors, IBaseModel model)
        : base(config.Modules, tensors, model) => _config = config;

    /// <inheritdoc />
    protected override string Name => "GLoRA";

    /// <inheritdoc />
    protected override bool IsMadeOfWeight => true;

    /// <summary>Reads an adapter.</summary>
    /// <exception cref="AdapterFormatException">A field or a tensor is wrong, missing or not supported.</exception>
    public static AdapterContent Read(ConfigFields fields, AdapterTensors tensors, IBaseModel model) =>
        new GloraReader(GloraConfig.Read(fields), tensors.WithPrefix(AdapterFiles.PeftPrefix), model).Read();

    /// <inheritdoc />
    protected override void ReadTarget(ModuleEdits edits)
    {
        BaseModule module = edits.Module;
        string because = $"{module.Path} is [{module.Outputs}, {module.Inputs}] in the base, r is {_config.Rank} in the configuration";
        var parts = new GloraParts(Model, module, _config, (name, shape) =>
            new Parameter(name, shape, Tensors.Values($"{module.Path}.{name}", because, [.. shape.Select(length => (long)length)])));
        TakeZeros(module, because);
        foreach (ModuleEdit edit in parts.Edits())
        {
            switch (edit)
            {
                case OutputScale scale:
                    edits.OutputScale = scale.Values;
                    break;
                case BiasDelta bias:
                    edits.AddBias(bias.Values);
                    break;
                case LowRank pair:
                    RequireFinite(pair.B, $"{module.Path}.glora_A.X", "values other than −1");
                    edits.Add(pair);
                    break;
                case DenseDelta dense:
                    RequireFinite(dense.Values, $"{module.Path}.glora_A.Xd", "values of which the change is finite");
                    edits.Add(dense);
                    break;
            }
        }
    }

    /// <summary>Parts that are turned off, or belong to a bias that the base has not, are stored as zeros.</summary>
    private void TakeZeros(BaseModule module, string because)
    {
        foreach ((string part, long[] shape) in (ReadOnlySpan<(string, long[])>)
            [("A", [module.Outputs, module.Inputs]), ("B", [module.Outputs, module.Inputs]), ("C", [module.Inputs, 1]), ("D", [module.Outputs]), ("E", [module.Outputs])])
        {
            string name = $"{module.Path}.glora_{part}.zeros";
            if (Tensors.Has(name) && Tensors.Values(name, because, shape).AsSpan().ContainsAnyExcept(0f))
            {
                throw new AdapterFormatException($"{Tensors.File}: tensor '{name}' is not zero, which is all that a part may be that the configuration turns off. The file and its configuration do not belong together; save the adapter again.");
            }
        }
    }
}
