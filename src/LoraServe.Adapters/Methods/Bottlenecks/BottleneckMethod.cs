using System.Text.Json.Nodes;
using LoraServe.Adapters.Methods.Description;
using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.Bottlenecks;

/// <summary>Bottleneck adapters, in AdapterHub's files.</summary>
internal static class BottleneckMethod
{
    /// <summary>The method.</summary>
    public static Method Bottleneck { get; } = new()
    {
        Type = PeftConfig.Bottleneck,
        Read = BottleneckReader.Read,
        Train = (config, model, options) => new TrainableBottleneck(config, model, options),
        Variants =
        [
            Variant("houlsby", "bottlenecks after attention and MLP", "1902.00751", new() { ["non_linearity"] = "swish" }),
            Variant("pfeiffer", "a bottleneck after the MLP that reads the residual stream too", "2005.00052", new()
            {
                ["mh_adapter"] = false,
                ["original_ln_before"] = true,
                ["non_linearity"] = "relu",
            }),
            Variant("parallel", "a bottleneck beside the MLP", "2110.04366", new()
            {
                ["mh_adapter"] = false,
                ["is_parallel"] = true,
                ["non_linearity"] = "relu",
                ["init_weights"] = "mam_adapter",
                ["scaling"] = 4.0,
            }),
        ],
    };

    private static MethodVariant Variant(string name, string description, string paper, JsonObject kind) => new()
    {
        Name = name,
        Kind = MethodKind.Bottleneck,
        Description = description,
        Paper = paper,
        LearningRate = 1e-3,
        Rank = 32,
        Configuration = settings => Configure(settings, kind),
    };

    /// <summary>With a bottleneck as wide as the rank.</summary>
    private static JsonObject Configure(VariantSettings settings, JsonObject kind)
    {
        int width = settings.Model.Width;
        var own = new JsonObject
        {
            ["dropout"] = 0.0,
            ["model_class"] = settings.Model.ModelClass,
            ["model_name"] = settings.Given.BaseName ?? "",
            ["model_type"] = settings.Model.Architecture,

            // The reader rounds width / factor down: half a unit more keeps it from losing one.
            ["reduction_factor"] = width % settings.Rank == 0 ? width / settings.Rank : width / (settings.Rank + 0.5),
        };
        foreach ((string name, JsonNode? value) in kind)
        {
            own[name] = value?.DeepClone();
        }

        return settings.ConfigWithoutBase(own);
    }
}
