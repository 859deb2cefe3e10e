using System.Text.Json.Nodes;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Files;
using LoraServe.Adapters.Gradients;
using LoraServe.Adapters.Methods.Training;
using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.Road;

/// <summary>RoAd (Liao and Monz 2024, arXiv:2409.00119): angles and scales of pairs of outputs.</summary>
internal sealed class TrainableRoad : TrainableAdapter
{
    private const float FirstDeviation = 0.5f;
    private readonly List<(BaseModule Module, PairRotation Pairs, Parameter Angles, Parameter Scales)> _sites = [];

    /// <summary>Angles of zero and scales of one, drawn around these where the configuration's init_weights is false.</summary>
    public TrainableRoad(JsonObject config, IBaseModel model, TrainableOptions options)
        : base(config, model)
    {
        ConfigFields fields = PeftConfig.Fields(config);
        RoadConfig road = RoadConfig.Read(fields);
        float deviation = fields.Flag("init_weights", true) ? 0 : FirstDeviation;
        foreach (BaseModule module in TargetedModules.Of(road.Modules, model))
        {
            int count = road.Count(module);
            string path = AdapterFiles.PeftPrefix + module.Path;
            int seed = unchecked(options.Seed + (2 * _sites.Count));
            _sites.Add((
                module,
                new PairRotation(road, module.Outputs),
                Add($"{path}.road_theta", [count], Initialization.Normal(count, deviation, seed)),
                Add($"{path}.road_alpha", [count], Array.ConvertAll(Initialization.Normal(count, deviation, seed + 1), value => 1 + value))));
        }
    }

    public override IReadOnlyList<AdapterEdit> Edits() => [.. _sites.SelectMany(site =>
    {
        BlockRotation rotation = site.Pairs.Make(site.Angles.Values, site.Scales.Values);
        AdapterEdit edit = new OutputRotation(site.Module.Site, rotation);
        return site.Module.HasBias ? [edit, new BiasDelta(site.Module.Site, rotation.ChangeOf(Model.Bias(site.Module)))] : (AdapterEdit[])[edit];
    })];

    public override void Pull(EditGradients gradients)
    {
        foreach ((BaseModule module, PairRotation pairs, Parameter angles, Parameter scales) in _sites)
        {
            LinearEditGradient site = gradients.At(module.Site)!;
            float[] changes = [.. site.OutputRotation!.Values];
            if (site.Bias is { } bias)
            {
                pairs.AddOfBias(bias.Values, Model.Bias(module), changes);
            }

            pairs.Pull(changes, angles.Values, scales.Values, angles.Gradient, scales.Gradient);
        }
    }
}
