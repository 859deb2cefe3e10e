using System.Text.Json.Nodes;
using LoraServe.Adapters;
using LoraServe.Adapters.Edits;
using LoraServe.Testing.Plain;

namespace LoraServe.Testing;

/// <summary>A small adapter of every method beyond LoRA for the tiny base.</summary>
public static class MethodAdapters
{
    public const string Bottleneck = "bottleneck";

    /// <summary>Methods whose adapters are changes of weights.</summary>
    public static IReadOnlyList<string> Mergeable { get; } =
    [
        "ADALORA", "VERA", "VERA from seed", "IA3", "LN_TUNING", "TRAINABLE_TOKENS",
        "LOHA", "LOKR", "VBLORA", "VBLORA of chosen", "SHIRA", "MISS", "MISS mini", "MISS bat",
        "ROAD", "C3A", "WAVEFT", "DELORA", "GRALORA", "HIRA", "PVERA", "PVERA from seed",
        "HRA", "HRA orthogonal", "OFT", "COFT", "BOFT", "FOURIERFT", "RANDLORA", "RANDLORA from seed",
        .. ProjectedAdapters.Mergeable,
    ];

    /// <summary>Methods whose adapters are not.</summary>
    public static IReadOnlyList<string> Unmergeable { get; } =
        ["PROMPT_TUNING", "P_TUNING", "MULTITASK_PROMPT_TUNING", "PREFIX_TUNING", "CARTRIDGE", "ADAPTION_PROMPT", Bottleneck, "compacter", "BEFT"];

    public static AdapterBuilder Build(string method)
    {
        PlainModel model = AdapterBuilder.TinyBase;
        return ProjectedAdapters.Mergeable.Contains(method) ? ProjectedAdapters.Build(method, model) : method switch
        {
            "ADALORA" => AdaLora(model),
            "VERA" or "VERA from seed" => Vera(model, withProjections: method == "VERA"),
            "IA3" => Ia3(model),
            "ROAD" => Road(model),
            "C3A" or "WAVEFT" or "DELORA" or "GRALORA" or "HIRA" or "BEFT" => Newer(method, model),
            "PVERA" or "PVERA from seed" => Pvera(model, withProjections: method == "PVERA"),
            "HRA" or "HRA orthogonal" => Hra(model, orthogonal: method != "HRA"),
            "OFT" or "COFT" => Oft(model, constrained: method == "COFT"),
            "BOFT" => Boft(model),
            "FOURIERFT" => FourierFt(model),
            "RANDLORA" or "RANDLORA from seed" => RandLora(model, withBases: method == "RANDLORA"),
            "LN_TUNING" => NormTuning(model),
            "LOHA" => Loha(model),
            "LOKR" => Lokr(model),
            "VBLORA" or "VBLORA of chosen" => VbLora(model, method != "VBLORA"),
            "SHIRA" => Shira(model),
            "MISS" or "MISS mini" or "MISS bat" => Miss(model, method),
            "TRAINABLE_TOKENS" => TrainableTokens(model),
            "PREFIX_TUNING" or "CARTRIDGE" => Prefix(model, method),
            "ADAPTION_PROMPT" => AdaptionPrompt(model),
            Bottleneck => Bottlenecks(model),
            "compacter" => Compacter(model),
            _ => Prompt(method, model),
        };
    }

    private static AdapterBuilder AdaLora(PlainModel model)
    {
        var builder = new AdapterBuilder
        {
            Config = { ["peft_type"] = "ADALORA", ["init_r"] = 3, ["rank_pattern"] = new JsonObject { ["model.layers.0.self_attn.v_proj.lora_E"] = new JsonArray(true, false, true) } },
        };
        foreach ((BaseModule module, int rank) in Targets(model, "q_proj", "v_proj").Zip([3, 2]))
        {
            builder.AddRandom($"{module.Path}.lora_A", rank, module.Inputs);
            builder.AddRandom($"{module.Path}.lora_B", module.Outputs, rank);
            builder.AddRandom($"{module.Path}.lora_E", rank, 1);
        }

        return builder;
    }

    private static AdapterBuilder Vera(PlainModel model, bool withProjections)
    {
        var builder = new AdapterBuilder { Prefix = "base_model.", Config = { ["peft_type"] = "VERA", ["r"] = 4, ["projection_prng_key"] = 3, ["lora_alpha"] = null } };
        BaseModule[] targets = [.. Targets(model, "q_proj", "v_proj")];
        foreach (BaseModule module in targets)
        {
            builder.AddRandom($"model.{module.Path}.vera_lambda_d", 4);
            builder.AddRandom($"model.{module.Path}.vera_lambda_b", module.Outputs);
        }

        if (withProjections)
        {
            builder.AddRandom("vera_A", 4, targets.Max(module => module.Inputs));
            builder.AddRandom("vera_B", targets.Max(module => module.Outputs), 4);
        }

        return builder;
    }

    private static AdapterBuilder Road(PlainModel model)
    {
        AdapterBuilder builder = OnQueriesAndValues("ROAD");
        (builder.Config["variant"], builder.Config["group_size"]) = ("road_2", 4);
        foreach (BaseModule module in Targets(model, "q_proj", "v_proj"))
        {
            builder.AddRandom($"{module.Path}.road_theta", module.Outputs);
            builder.AddRandom($"{module.Path}.road_alpha", module.Outputs);
        }

        return builder;
    }

    private static AdapterBuilder Pvera(PlainModel model, bool withProjections)
    {
        AdapterBuilder builder = Plain("PVERA", prefix: "base_model.");
        (builder.Config["r"], builder.Config["projection_prng_key"], builder.Config["target_modules"]) = (4, 3, new JsonArray("q_proj", "v_proj"));
        BaseModule[] targets = [.. Targets(model, "q_proj", "v_proj")];
        foreach (BaseModule module in targets)
        {
            builder.AddRandom($"model.{module.Path}.pvera_lambda_d", 8);
            builder.AddRandom($"model.{module.Path}.pvera_lambda_b", module.Outputs);
        }

        if (withProjections)
        {
            builder.AddRandom("pvera_A", 8, targets.Max(module => module.Inputs));
            builder.AddRandom("pvera_B", targets.Max(module => module.Outputs), 4);
        }

        return builder;
    }

    /// <summary>Methods with few tensors at a module and no more than a size in their configuration.</summary>
    private static AdapterBuilder Newer(string type, PlainModel model)
    {
        AdapterBuilder builder = OnQueriesAndValues(type);
        foreach ((string name, JsonNode value) in (IEnumerable<(string, JsonNode)>)(type switch
        {
            "C3A" => [("block_size", 4)],
            "WAVEFT" => [("n_frequency", 9), ("wavelet_family", "sym3")],
            "GRALORA" => [("r", 4), ("gralora_k", 2), ("hybrid_r", 1), ("alpha", 3)],
            "BEFT" => [],
            _ => [("r", 2)],
        }))
        {
            builder.Config[name] = value;
        }

        foreach (BaseModule module in Targets(model, "q_proj", "v_proj"))
        {
            (int outputs, int inputs) = (module.Outputs, module.Inputs);
            foreach ((string name, long[] shape) in (IEnumerable<(string, long[])>)(type switch
            {
                "C3A" => [("c3a_kernel", [outputs / 4, inputs / 4, 4])],
                "WAVEFT" => [("waveft_spectrum", [9])],
                "DELORA" => [("delora_A", [2, inputs]), ("delora_B", [outputs, 2]), ("delora_lambda", [1]), ("delora_w_norm", [inputs])],
                "GRALORA" => [("gralora_A", [2, inputs / 2, 4]), ("gralora_B", [2, 4, outputs / 2]), ("gralora_A_general.weight", [1, inputs]), ("gralora_B_general.weight", [outputs, 1])],
                "HIRA" => [("hira_A", [2, inputs]), ("hira_B", [outputs, 2])],
                _ => [("beft_bias", [1, outputs])],
            }))
            {
                builder.AddRandom($"{module.Path}.{name}", shape);
            }
        }

        return builder;
    }

    private static AdapterBuilder Hra(PlainModel model, bool orthogonal)
    {
        AdapterBuilder builder = Plain("HRA");
        (builder.Config["r"], builder.Config["apply_GS"], builder.Config["target_modules"]) = (3, orthogonal, new JsonArray("q_proj", "down_proj"));
        foreach (BaseModule module in Targets(model, "q_proj", "down_proj"))
        {
            builder.AddRandom($"{module.Path}.hra_u", module.Inputs, 3);
        }

        return builder;
    }

    private static AdapterBuilder Oft(PlainModel model, bool constrained)
    {
        AdapterBuilder builder = Plain("OFT");
        (builder.Config["r"], builder.Config["oft_block_size"], builder.Config["target_modules"]) = (0, 4, new JsonArray("q_proj", "down_proj"));
        (builder.Config["coft"], builder.Config["eps"], builder.Config["block_share"]) = (constrained, 0.4, constrained);
        foreach (BaseModule module in Targets(model, "q_proj", "down_proj"))
        {
            builder.AddRandom($"{module.Path}.oft_R.weight", constrained ? 1 : module.Inputs / 4, 6);
        }

        return builder;
    }

    private static AdapterBuilder Boft(PlainModel model)
    {
        AdapterBuilder builder = Plain("BOFT");
        (builder.Config["boft_block_size"], builder.Config["boft_n_butterfly_factor"], builder.Config["target_modules"]) = (2, 3, new JsonArray("q_proj", "v_proj"));
        foreach (BaseModule module in Targets(model, "q_proj", "v_proj"))
        {
            builder.AddRandom($"{module.Path}.boft_R", 3, module.Inputs / 2, 2, 2);
            builder.AddRandom($"{module.Path}.boft_s", module.Outputs, 1);
        }

        return builder;
    }

    private static AdapterBuilder FourierFt(PlainModel model)
    {
        AdapterBuilder builder = Plain("FOURIERFT");
        (builder.Config["n_frequency"], builder.Config["n_frequency_pattern"], builder.Config["target_modules"]) = (7, new JsonObject { ["v_proj"] = 5 }, new JsonArray("q_proj", "v_proj"));
        foreach ((BaseModule module, int count) in Targets(model, "q_proj", "v_proj").Zip([7, 5]))
        {
            builder.AddRandom($"{module.Path}.fourierft_spectrum", count);
        }

        return builder;
    }

    private static AdapterBuilder RandLora(PlainModel model, bool withBases)
    {
        const int Rank = 3;
        AdapterBuilder builder = Plain("RANDLORA", "base_model.");
        (builder.Config["r"], builder.Config["randlora_alpha"], builder.Config["projection_prng_key"]) = (Rank, 6, 4);
        builder.Config["target_modules"] = new JsonArray("q_proj", "v_proj");
        foreach (BaseModule module in Targets(model, "q_proj", "v_proj"))
        {
            int lesser = Math.Min(module.Inputs, module.Outputs);
            int bases = (lesser + Rank - 1) / Rank;
            builder.AddRandom($"model.{module.Path}.randlora_lambda", Rank, bases);
            builder.AddRandom($"model.{module.Path}.randlora_gamma", bases, lesser);
        }

        if (withBases)
        {
            string own = $"model.{model.At(new Site(0, SiteRole.Query)).Path}.";
            float[] a = builder.AddRandom("randlora_A", Rank, 1, model.Width);
            builder.Add($"{own}randlora_A", a, Rank, 1, model.Width);
            float[] b = builder.AddRandom("randlora_B", model.Width, 3, Rank);
            builder.Add($"{own}randlora_B", b, model.Width, 3, Rank);
        }

        return builder;
    }

    private static AdapterBuilder Ia3(PlainModel model)
    {
        AdapterBuilder builder = Plain("IA3");
        (builder.Config["target_modules"], builder.Config["feedforward_modules"]) = (new JsonArray("k_proj", "down_proj"), new JsonArray("down_proj"));
        BaseModule key = model.At(new Site(0, SiteRole.Key));
        BaseModule down = model.At(new Site(0, SiteRole.Down));
        builder.AddRandom($"{key.Path}.ia3_l", key.Outputs, 1);
        builder.AddRandom($"{down.Path}.ia3_l", 1, down.Inputs);
        return builder;
    }

    /// <summary>With a dense change of q_proj and a low-rank one of v_proj.</summary>
    private static AdapterBuilder Loha(PlainModel model)
    {
        AdapterBuilder builder = OnQueriesAndValues("LOHA");
        (builder.Config["r"], builder.Config["alpha"], builder.Config["rank_pattern"]) = (2, 5, new JsonObject { ["v_proj"] = 1 });
        foreach ((BaseModule module, int rank) in Targets(model, "q_proj", "v_proj").Zip([2, 1]))
        {
            foreach (string part in (string[])["1", "2"])
            {
                builder.AddRandom($"{module.Path}.hada_w{part}_a", module.Outputs, rank);
                builder.AddRandom($"{module.Path}.hada_w{part}_b", rank, module.Inputs);
            }
        }

        return builder;
    }

    /// <summary>With a low-rank change of q_proj and a dense one of v_proj.</summary>
    private static AdapterBuilder Lokr(PlainModel model)
    {
        AdapterBuilder builder = OnQueriesAndValues("LOKR");
        (builder.Config["r"], builder.Config["alpha"]) = (1, 3);
        foreach ((BaseModule module, int rows) in Targets(model, "q_proj", "v_proj").Zip([4, 2]))
        {
            builder.AddRandom($"{module.Path}.lokr_w1", 2, 2);
            builder.AddRandom($"{module.Path}.lokr_w2_a", rows, 1);
            builder.AddRandom($"{module.Path}.lokr_w2_b", 1, 4);
        }

        return builder;
    }

    private static AdapterBuilder VbLora(PlainModel model, bool ofChosen)
    {
        var builder = new AdapterBuilder { Prefix = "base_model." };
        builder.Config.Clear();
        foreach ((string name, JsonNode value) in (ReadOnlySpan<(string, JsonNode)>)
            [("peft_type", "VBLORA"), ("target_modules", new JsonArray("q_proj", "v_proj")), ("r", 3), ("num_vectors", 5), ("vector_length", 2), ("topk", 2), ("save_only_topk_weights", ofChosen)])
        {
            builder.Config[name] = value;
        }

        builder.AddRandom("vblora_vector_bank", 5, 2);
        foreach (BaseModule module in Targets(model, "q_proj", "v_proj"))
        {
            foreach ((string part, int rows, int columns) in (ReadOnlySpan<(string, int, int)>)[("A", 3, module.Inputs / 2), ("B", module.Outputs / 2, 3)])
            {
                string name = $"model.{module.Path}.vblora_logits_{part}";
                if (ofChosen)
                {
                    builder.AddIntegers($"{name}_topk_indices", [.. Enumerable.Range(0, rows * columns).SelectMany(i => (int[])[i % 5, (i + 3) % 5])], rows, columns, 2);
                    builder.AddRandom($"{name}_topk_weights", rows, columns, 1);
                }
                else
                {
                    builder.AddRandom(name, rows, columns, 5);
                }
            }
        }

        return builder;
    }

    private static AdapterBuilder Shira(PlainModel model)
    {
        AdapterBuilder builder = OnQueriesAndValues("SHIRA");
        builder.Config["r"] = 1;
        foreach (BaseModule module in Targets(model, "q_proj", "v_proj"))
        {
            int count = module.Outputs + module.Inputs;
            int[] places = [.. Enumerable.Range(0, count).Select(i => i * 2)];
            builder.AddRandom($"{module.Path}.shira_weight", count);
            builder.AddIntegers($"{module.Path}.shira_indices", [.. places.Select(place => place / module.Inputs), .. places.Select(place => place % module.Inputs)], 2, count);
        }

        return builder;
    }

    private static AdapterBuilder Miss(PlainModel model, string method)
    {
        AdapterBuilder builder = OnQueriesAndValues("MISS");
        (builder.Config["r"], builder.Config["mini_r"]) = (method == "MISS bat" ? 4 : 3, 2);
        builder.Config["init_weights"] = method == "MISS" ? true : method.Split(' ')[1];
        foreach (BaseModule module in Targets(model, "q_proj", "v_proj"))
        {
            builder.AddRandom($"{module.Path}.miss_block", method switch { "MISS bat" => [module.Outputs / 4, 4, 4], "MISS mini" => [3, 2], _ => [3, module.Outputs] });
        }

        return builder;
    }

    public static AdapterBuilder OnQueriesAndValues(string type)
    {
        AdapterBuilder builder = Plain(type);
        builder.Config["target_modules"] = new JsonArray("q_proj", "v_proj");
        return builder;
    }

    private static AdapterBuilder NormTuning(PlainModel model)
    {
        AdapterBuilder builder = Plain("LN_TUNING");
        builder.Config["target_modules"] = new JsonArray("input_layernorm", "norm");
        foreach (BaseNorm norm in model.Norms.Where(norm => !norm.Path.Contains("post", StringComparison.Ordinal)))
        {
            builder.AddRandom($"{norm.Path}.ln_tuning_layers.weight", norm.Width);
        }

        return builder;
    }

    private static AdapterBuilder TrainableTokens(PlainModel model)
    {
        AdapterBuilder builder = Plain("TRAINABLE_TOKENS");
        (builder.Config["target_modules"], builder.Config["token_indices"]) = (new JsonArray("embed_tokens"), new JsonArray(4, 1, 5));
        builder.AddRandom("model.embed_tokens.trainable_tokens_delta", 3, model.Width);
        return builder;
    }

    private static AdapterBuilder Prompt(string type, PlainModel model)
    {
        AdapterBuilder builder = Plain(type, prefix: "");
        builder.Config["num_virtual_tokens"] = 3;
        builder.AddRandom("prompt_embeddings", 3, model.Width);
        if (type == "MULTITASK_PROMPT_TUNING")
        {
            (builder.Config["num_tasks"], builder.Config["num_ranks"], builder.Config["task_id"]) = (2, 2, 1);
            builder.AddRandom("prefix_task_cols", 2, 3, 2);
            builder.AddRandom("prefix_task_rows", 2, 2, model.Width);
        }

        return builder;
    }

    private static AdapterBuilder Prefix(PlainModel model, string type)
    {
        AdapterBuilder builder = Plain(type, prefix: "");
        builder.Config["num_virtual_tokens"] = 3;
        builder.AddRandom("prompt_embeddings", 3, 2 * model.LayerCount * model.Spec.KeyValueHeads * model.HeadSize);
        return builder;
    }

    private static AdapterBuilder AdaptionPrompt(PlainModel model)
    {
        AdapterBuilder builder = Plain("ADAPTION_PROMPT");
        (builder.Config["adapter_len"], builder.Config["adapter_layers"]) = (3, 1);
        builder.AddRandom("model.layers.0.self_attn.adaption_prompt", 1, 3, model.Width);
        builder.AddRandom("model.layers.0.self_attn.adaption_gate", 1);
        return builder;
    }

    private static AdapterBuilder Bottlenecks(PlainModel model)
    {
        AdapterBuilder builder = Hub(new JsonObject { ["scaling"] = "channel", ["ln_after"] = true });
        foreach (string place in (string[])["attention_adapters", "output_adapters"])
        {
            string path = $"model.layers.0.{place}.adapters.{Bottleneck}";
            int size = model.Width / 2;
            builder.AddRandom($"{path}.adapter_down.0.weight", size, model.Width);
            builder.AddRandom($"{path}.adapter_down.0.bias", size);
            builder.AddRandom($"{path}.adapter_up.weight", model.Width, size);
            builder.AddRandom($"{path}.adapter_up.bias", model.Width);
            builder.AddRandom($"{path}.scaling", model.Width);
            builder.AddRandom($"{path}.adapter_norm_after.weight", model.Width);
            builder.AddRandom($"{path}.adapter_norm_after.bias", model.Width);
        }

        return builder;
    }

    private static AdapterBuilder Compacter(PlainModel model)
    {
        AdapterBuilder builder = Hub(new JsonObject { ["phm_layer"] = true, ["phm_dim"] = 2, ["mh_adapter"] = false, ["shared_phm_rule"] = false });
        string path = $"model.layers.0.output_adapters.adapters.{Bottleneck}";
        int size = model.Width / 2;
        foreach ((string name, int outputs, int inputs) in (ReadOnlySpan<(string, int, int)>)[("adapter_down.0", size, model.Width), ("adapter_up", model.Width, size)])
        {
            builder.AddRandom($"{path}.{name}.phm_rule", 2, 2, 2);
            builder.AddRandom($"{path}.{name}.W_left", 2, inputs / 2, 1);
            builder.AddRandom($"{path}.{name}.W_right", 2, 1, outputs / 2);
            builder.AddRandom($"{path}.{name}.b", outputs);
        }

        return builder;
    }

    private static AdapterBuilder Hub(JsonObject changes)
    {
        AdapterBuilder builder = Plain("", prefix: "", weightsName: "adapter.safetensors");
        var config = new JsonObject { ["mh_adapter"] = true, ["output_adapter"] = true, ["reduction_factor"] = 2, ["non_linearity"] = "swish", ["scaling"] = 1.5, ["residual_before_ln"] = true };
        foreach ((string name, JsonNode? value) in changes)
        {
            config[name] = value!.DeepClone();
        }

        builder.Config.Clear();
        (builder.Config["name"], builder.Config["config"]) = (Bottleneck, config);
        return builder;
    }

    public static AdapterBuilder Plain(string type, string prefix = "base_model.model.", string weightsName = "adapter_model.safetensors")
    {
        var builder = new AdapterBuilder { Prefix = prefix, WeightsName = weightsName };
        builder.Config.Clear();
        builder.Config["peft_type"] = type;
        return builder;
    }

    private static IEnumerable<BaseModule> Targets(PlainModel model, params string[] names) => model.Modules.Where(module => names.Contains(module.Name));
}
