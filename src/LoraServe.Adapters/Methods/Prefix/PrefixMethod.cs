using System.Text.Json.Nodes;
using LoraServe.Adapters.Methods.Description;

namespace LoraServe.Adapters.Methods.Prefix;

/// <summary>Prefix tuning (Li and Liang 2021, arXiv:2101.00190), and without its network P-tuning v2 (arXiv:2110.07602).</summary>
internal static class PrefixMethod
{
    /// <summary>The method.</summary>
    public static Method Prefix { get; } = new()
    {
        Type = "PREFIX_TUNING",
        Read = PrefixReader.Read,
        Train = (config, model, options) => new TrainablePrefix(config, model, options),
        Complete = CountKeys,
        Variants =
        [
            new()
            {
                Name = "prefix",
                OtherNames = ["prefix-tuning", "p-tuning-v2"],
                Kind = MethodKind.VirtualRows,
                Description = "keys and values of every layer ahead of the prompt (P-tuning v2)",
                Paper = "2110.07602",
                LearningRate = 3e-2,
                Configuration = settings => Configure(settings, projects: false),
            },
            new()
            {
                Name = "prefix-projection",
                Kind = MethodKind.VirtualRows,
                Description = "a prefix that a small network makes",
                Paper = "2101.00190",
                LearningRate = 2e-3,
                Configuration = settings => Configure(settings, projects: true),
            },
        ],
    };

    /// <summary>Cartridges (Eyuboglu et al. 2025, arXiv:2506.06266): a prefix, of which the first rows stay as they are.</summary>
    public static Method Cartridge { get; } = new()
    {
        Type = "CARTRIDGE",
        Read = PrefixReader.ReadCartridge,
        Train = (config, model, options) => new TrainablePrefix(config, model, options),
        Complete = CountKeys,
        Variants =
        [
            new()
            {
                Name = "cartridge",
                Kind = MethodKind.VirtualRows,
                Description = "a prefix of keys and values whose first row stays as it is",
                Paper = "2506.06266",
                LearningRate = 2e-2,
                Configuration = settings => settings.Config(new() { ["num_virtual_tokens"] = settings.VirtualTokens }),
            },
        ],
    };

    private static JsonObject Configure(VariantSettings settings, bool projects) => settings.Config(new()
    {
        ["num_virtual_tokens"] = settings.VirtualTokens,
        ["prefix_projection"] = projects,
    });

    /// <summary>A prefix counts what the cache holds: key/value heads and their elements.</summary>
    private static void CountKeys(JsonObject config, IBaseModel model)
    {
        config["token_dim"] = model.KeyWidth;
        config["num_attention_heads"] = model.KeyWidth / model.HeadSize;
    }
}
