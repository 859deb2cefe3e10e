using System.Text.Json.Nodes;

namespace LoraServe.Training.Methods;

/// <summary>What there is to be said of every method that can be trained.</summary>
internal static class MethodTable
{
    /// <summary>The table.</summary>
    public static IReadOnlyList<TrainingMethod> Methods { get; } =
    [
        Lora("lora", "low-rank updates of linear maps", "2106.09685"),
        Lora("loraplus", "LoRA whose B learns faster than A", "2402.12354", rate: 2e-4) with { RateRatioOfB = 16 },
        Lora("rslora", "LoRA with a scale that holds for any rank", "2312.03732", new() { ["use_rslora"] = true }, 3e-4),
        Lora("dora", "LoRA of directions, and a magnitude for each output", "2402.09353", new() { ["use_dora"] = true }),
        Lora("pissa", "LoRA that begins as the base's greatest singular values", "2404.02948", new() { ["init_lora_weights"] = "pissa" }, 2e-4),
        Lora("olora", "LoRA that begins as an orthonormal part of the base", "2406.01775", new() { ["init_lora_weights"] = "olora" }, 2e-4),
        Lora("gated", "LoRA whose terms have gates; those that do not pay are pruned, so each module finds its rank", "2311.11696") with
        {
            Create = (config, model, options) => new GatedLora(config, model, options),
        },
        Lora("qlora", "LoRA on a base that is kept in NF4", "2305.14314") with { QuantisesBase = true },
        new()
        {
            Name = "vera",
            Description = "two vectors a module that scale random projections which all share",
            Paper = "2310.11454",
            LearningRate = 1e-2,
            Rank = 256,
            Targets = ["all-linear"],
            Configure = MethodConfigs.Vera,
        },
        new()
        {
            Name = "adalora",
            Description = "low-rank updates that share a budget of ranks by importance",
            Paper = "2303.10512",
            LearningRate = 2e-3,
            Rank = 8,
            Targets = ["all-linear"],
            Configure = MethodConfigs.AdaLora,
        },
        new()
        {
            Name = "loha",
            Description = "elementwise products of two low-rank updates, of the square of their rank",
            Paper = "2108.06098",
            LearningRate = 5e-4,
            Rank = 8,
            Targets = ["all-linear"],
            HasRankPattern = true,
            Configure = settings => MethodConfigs.Scaled("LOHA", settings),
        },
        new()
        {
            Name = "lokr",
            Description = "Kronecker products of a small matrix and a low-rank one",
            Paper = "2309.14859",
            LearningRate = 1e-3,
            Rank = 8,
            Targets = ["all-linear"],
            HasRankPattern = true,
            Configure = settings => MethodConfigs.Scaled("LOKR", settings),
        },
        new()
        {
            Name = "vblora",
            Description = "low-rank updates put together from a bank of vectors that all modules share",
            Paper = "2405.15179",
            LearningRate = 5e-3,
            Rank = 4,
            Targets = ["all-linear"],
            Configure = MethodConfigs.VbLora,
        },
        new()
        {
            Name = "shira",
            Description = "summands of a few elements of each weight, drawn at random",
            Paper = "2406.13175",
            LearningRate = 1e-3,
            Rank = 8,
            Targets = ["q_proj", "v_proj"],
            Configure = MethodConfigs.Shira,
        },
        new()
        {
            Name = "miss",
            Description = "a block that sums of inputs go through, begun at zero",
            Paper = "2409.15371",
            LearningRate = 2e-4,
            Rank = 32,
            Targets = ["all-linear"],
            Configure = MethodConfigs.Miss,
        },
        new()
        {
            Name = "ia3",
            Description = "factors of keys, values and the MLP's inner activations",
            Paper = "2205.05638",
            LearningRate = 8e-3,
            Targets = ["k_proj", "v_proj", "down_proj"],
            Configure = MethodConfigs.Ia3,
        },
        new()
        {
            Name = "hra",
            Description = "reflections of inputs along as many vectors as the rank",
            Paper = "2405.17484",
            LearningRate = 5e-3,
            Rank = 8,
            Targets = ["all-linear"],
            Configure = MethodConfigs.Hra,
        },
        new()
        {
            Name = "oft",
            Description = "rotations of inputs in blocks as wide as the rank",
            Paper = "2306.07280",
            LearningRate = 5e-4,
            Rank = 32,
            Targets = ["all-linear"],
            Configure = MethodConfigs.Oft,
        },
        new()
        {
            Name = "boft",
            Description = "rotations of inputs, which may be a butterfly of blocks as wide as the rank, and factors of outputs",
            Paper = "2311.06243",
            LearningRate = 1e-3,
            Rank = 8,
            Targets = ["all-linear"],
            Configure = MethodConfigs.Boft,
        },
        new()
        {
            Name = "fourierft",
            Description = "a few coefficients of the update's Fourier transform",
            Paper = "2405.03003",
            LearningRate = 1e-2,
            Targets = ["q_proj", "v_proj"],
            Configure = MethodConfigs.FourierFt,
        },
        new()
        {
            Name = "randlora",
            Description = "scales of random bases that together have full rank",
            Paper = "2502.00987",
            LearningRate = 2e-4,
            Rank = 32,
            Targets = ["q_proj", "v_proj"],
            Configure = MethodConfigs.RandLora,
        },
        Bottleneck("houlsby", "bottlenecks after attention and MLP", "1902.00751", new() { ["non_linearity"] = "swish" }),
        Bottleneck("pfeiffer", "a bottleneck after the MLP that reads the residual stream too", "2005.00052", new()
        {
            ["mh_adapter"] = false,
            ["original_ln_before"] = true,
            ["non_linearity"] = "relu",
        }),
        Bottleneck("parallel", "a bottleneck beside the MLP", "2110.04366", new()
        {
            ["mh_adapter"] = false,
            ["is_parallel"] = true,
            ["non_linearity"] = "relu",
            ["init_weights"] = "mam_adapter",
            ["scaling"] = 4.0,
        }),
        new()
        {
            Name = "prompt",
            Description = "embeddings of virtual tokens ahead of the prompt",
            Paper = "2104.08691",
            LearningRate = 2e-2,
            Configure = MethodConfigs.Prompt,
        },
        new()
        {
            Name = "p-tuning",
            Description = "virtual tokens that a small network makes",
            Paper = "2103.10385",
            LearningRate = 2e-3,
            Configure = MethodConfigs.PTuning,
        },
        new()
        {
            Name = "prefix",
            Description = "keys and values of every layer ahead of the prompt (P-tuning v2)",
            Paper = "2110.07602",
            LearningRate = 3e-2,
            Configure = settings => MethodConfigs.Prefix(settings, projects: false),
        },
        new()
        {
            Name = "prefix-projection",
            Description = "a prefix that a small network makes",
            Paper = "2101.00190",
            LearningRate = 2e-3,
            Configure = settings => MethodConfigs.Prefix(settings, projects: true),
        },
        new()
        {
            Name = "bitfit",
            Description = "the base's biases",
            Paper = "2106.10199",
            LearningRate = 2e-3,
            Configure = MethodConfigs.Biases,
            Create = (config, model, _) => new TrainableBiases(config, model),
        },
        new()
        {
            Name = "ln",
            Description = "the gains of norms",
            Paper = "2312.11420",
            LearningRate = 2e-3,
            Configure = MethodConfigs.LayerNorms,
        },
        new()
        {
            Name = "full",
            Description = "every parameter of the base",
            Paper = "1801.06146",
            LearningRate = 5e-5,
            MakesModel = true,
            Create = (_, model, _) => new TrainableWeights(model),
        },
    ];

    private static TrainingMethod Lora(string name, string description, string paper, JsonObject? changes = null, double rate = 5e-4) => new()
    {
        Name = name,
        Description = description,
        Paper = paper,
        LearningRate = rate,
        Rank = 8,
        Targets = ["all-linear"],
        HasRankPattern = true,
        Configure = settings => MethodConfigs.Lora(settings, changes),
    };

    private static TrainingMethod Bottleneck(string name, string description, string paper, JsonObject kind) => new()
    {
        Name = name,
        Description = description,
        Paper = paper,
        LearningRate = 1e-3,
        Rank = 32,
        Configure = settings => MethodConfigs.Bottleneck(settings, kind),
    };
}
