using System.Text.Json.Nodes;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Files;
using LoraServe.Adapters.Gradients;
using LoraServe.Adapters.Methods.Training;
using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.Glora;

/// <summary>GLoRA (Chavan et al. 2023, arXiv:2306.07967): weights and biases are scaled, shifted and coupled.</summary>
internal sealed class TrainableGlora : TrainableAdapter
{
    private const float Deviation = 0.02f;
    private readonly List<(BaseModule Module, GloraParts Parts)> _sites = [];

    /// <summary>Parts of zero, of products the right factor alone drawn; all drawn where the configuration's init_weights is false.</summary>
    public TrainableGlora(JsonObject config, IBaseModel model, TrainableOptions options)
        : base(config, model)
    {
        ConfigFields fields = PeftConfig.Fields(config);
        GloraConfig glora = GloraConfig.Read(fields);
        bool beginsAsBase = fields.Flag("init_weights", true);
        foreach (BaseModule module in TargetedModules.Of(glora.Modules, model))
        {
            _sites.Add((module, new GloraParts(model, module, glora, (name, shape) =>
                Add($"{AdapterFiles.PeftPrefix}{module.Path}.{name}", shape, First(name, shape, beginsAsBase, unchecked(options.Seed + Parameters.Count))))));
        }
    }

    public override IReadOnlyList<AdapterEdit> Edits() => [.. _sites.SelectMany(site => site.Parts.Edits())];

    public override void Pull(EditGradients gradients)
    {
        foreach ((BaseModule module, GloraParts parts) in _sites)
        {
            if (gradients.At(module.Site) is { } change)
            {
                parts.Pull(change);
            }
        }
    }

    private static float[]? First(string name, int[] shape, bool beginsAsBase, int seed) =>
        name.EndsWith(".Xu", StringComparison.Ordinal) ? Initialization.KaimingUniform(shape[0], shape[1], seed)
        : beginsAsBase ? null
        : shape.Length == 2 ? Initialization.KaimingUniform(shape[0], shape[1], seed)
        : Initialization.Normal(shape[0], Deviation, seed);
}
