using System.Text.Json.Nodes;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Files;
using LoraServe.Adapters.Gradients;
using LoraServe.Adapters.Methods.Training;
using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.NormTuning;

/// <summary>LayerNorm tuning (Zhao et al. 2023, arXiv:2312.11420): the gains of norms, and their biases.</summary>
internal sealed class TrainableLayerNorms : TrainableAdapter
{
    private readonly ReplacedParameters _norms;

    /// <summary>The gains that the configuration targets, with the base's values.</summary>
    public TrainableLayerNorms(JsonObject config, IBaseModel model)
        : base(config, model)
    {
        var targets = new TargetConfig(PeftConfig.Fields(config));
        _norms = new ReplacedParameters(model);
        foreach (BaseNorm norm in model.Norms.Where(norm => targets.Targets.Targets(norm.Path)))
        {
            _norms.AddNorm(norm, (part, values) => Add($"{AdapterFiles.PeftPrefix}{norm.Path}.ln_tuning_layers.{part}", [norm.Width], values));
        }
    }

    public override IReadOnlyList<AdapterEdit> Edits() => [.. _norms.Edits()];

    public override void Pull(EditGradients gradients) => _norms.Pull(gradients);
}
