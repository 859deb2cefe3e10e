using System.Text.Json.Nodes;
using LoraServe.Adapters.Methods.Description;
using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.Lora;

/// <summary>LoRA (Hu et al. 2021, arXiv:2106.09685), and what PEFT keeps in the same files.</summary>
internal static class LoraMethod
{
    /// <summary>Its peft_type.</summary>
    public const string Type = PeftConfig.Lora;

    /// <summary>The method.</summary>
    public static Method Lora { get; } = new()
    {
        Type = Type,
        Read = LoraReader.Read,
        Train = (config, model, options) => new TrainableLora(config, model, options),
        GoOn = TakeRank,
        Variants =
        [
            Variant("lora", "low-rank updates of linear maps", "2106.09685") with { GrowsRank = true },
            Variant("loraplus", "LoRA whose B learns faster than A", "2402.12354", rate: 2e-4) with { GrowsRank = true, OtherNames = ["lora+"], RateRatioOfB = 16 },
            Variant("rslora", "LoRA with a scale that holds for any rank", "2312.03732", new() { ["use_rslora"] = true }, 3e-4) with { GrowsRank = true },
            Variant("dora", "LoRA of directions, and a magnitude for each output", "2402.09353", new() { ["use_dora"] = true }) with { GrowsRank = true },
            Variant("pissa", "LoRA that begins as the base's greatest singular values", "2404.02948", new() { ["init_lora_weights"] = "pissa" }, 2e-4),
            Variant("olora", "LoRA that begins as an orthonormal part of the base", "2406.01775", new() { ["init_lora_weights"] = "olora" }, 2e-4),
            Variant("gated", "LoRA whose terms have gates; those that do not pay are pruned, so each module finds its rank", "2311.11696") with
            {
                Train = (config, model, options) => new GatedLora(config, model, options),
            },
            Variant("qlora", "LoRA on a base that is kept in NF4", "2305.14314") with { GrowsRank = true, QuantisesBase = true },
        ],
    };

    private static MethodVariant Variant(string name, string description, string paper, JsonObject? changes = null, double rate = 5e-4) => new()
    {
        Name = name,
        Kind = MethodKind.LowRank,
        Description = description,
        Paper = paper,
        LearningRate = rate,
        Rank = 8,
        Targets = ["all-linear"],
        HasRankPattern = true,
        Configuration = settings => Configure(settings, changes ?? []),
    };

    private static JsonObject Configure(VariantSettings settings, JsonObject changes)
    {
        var own = new JsonObject
        {
            ["lora_alpha"] = settings.Alpha,
            ["lora_dropout"] = 0.0,
            ["r"] = settings.Rank,
            ["target_modules"] = settings.TargetList(),
        };
        foreach ((string name, JsonNode? value) in changes)
        {
            own[name] = value?.DeepClone();
        }

        return settings.Config(own);
    }

    /// <summary>The rank and the alpha that are given, and then the patterns that go with them.</summary>
    private static void TakeRank(JsonObject saved, JsonObject wanted, MethodSettings settings)
    {
        bool changesRank = settings.Rank is { } rank && PeftConfig.Fields(saved).Integer("r", 1) != rank;
        if (changesRank || settings.Alpha is not null)
        {
            (saved["r"], saved["lora_alpha"]) = (changesRank ? JsonValue.Create(settings.Rank) : saved["r"]?.DeepClone(), wanted["lora_alpha"]!.DeepClone());
            (saved["rank_pattern"], saved["alpha_pattern"]) = (wanted["rank_pattern"]?.DeepClone(), wanted["alpha_pattern"]?.DeepClone());
        }
    }
}
