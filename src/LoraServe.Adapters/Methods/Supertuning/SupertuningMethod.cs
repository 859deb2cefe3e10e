using System.Text.Json.Nodes;
using LoraServe.Adapters.Methods.Description;

namespace LoraServe.Adapters.Methods.Supertuning;

/// <summary>Super-Tuning (arXiv:2607.09287), and with a pair beside it Supra.</summary>
internal static class SupertuningMethod
{
    /// <summary>The method.</summary>
    public static Method Supertuning { get; } = new()
    {
        Type = "SUPERTUNING",
        Read = SupertuningReader.Read,
        Train = (config, model, options) => new TrainableSupertuning(config, model, options),
        Variants =
        [
            new()
            {
                Name = "supertuning",
                OtherNames = ["super-tuning"],
                Kind = MethodKind.OtherUpdate,
                Description = "summands of a hundredth of each weight's elements, the greatest",
                Paper = "2607.09287",
                LearningRate = 1e-3,
                Targets = ["q_proj", "v_proj"],
                Configuration = settings => Configure(settings, rank: null),
            },
            new()
            {
                Name = "supra",
                Kind = MethodKind.OtherUpdate,
                Description = "the same beside a low-rank pair",
                Paper = "2607.09287",
                LearningRate = 1e-3,
                Rank = 8,
                Targets = ["q_proj", "v_proj"],
                Configuration = settings => Configure(settings, settings.Rank),
            },
        ],
    };

    private static JsonObject Configure(VariantSettings settings, int? rank) => settings.Config(new()
    {
        ["lora_alpha"] = rank is null ? null : settings.Alpha,
        ["r"] = rank,
        ["target_modules"] = settings.TargetList(),
    });
}
