using System.Text.Json.Nodes;
using LoraServe.Adapters;

namespace LoraServe.Testing;

/// <summary>Small adapters of the methods that project, mix or replace parts of weights, and of LoRA's variants that do, for the queries and values of a base.</summary>
public static class ProjectedAdapters
{
    /// <summary>Their names.</summary>
    public static IReadOnlyList<string> Mergeable { get; } =
    [
        "TINYLORA", "TINYLORA from seed", "TINYLORA tied", "UNILORA", "UNILORA stored", "DEFT", "DEFT qr", "DEFT para", "GLORA", "GLORA vector", "GLORA constant",
        "PEANUT", "PEANUT deep", "SUPERTUNING", "SUPERTUNING supra", "LORA kasa", "LORA qalora", "LORA mica",
    ];

    public static AdapterBuilder Build(string name, IBaseModel model)
    {
        string[] words = name.Split(' ');
        string variant = words.Length == 1 ? "" : words[^1];
        BaseModule[] targets = [.. model.Modules.Where(module => module.Name is "q_proj" or "v_proj")];
        return words[0] switch
        {
            "TINYLORA" => TinyLora(targets, variant),
            "UNILORA" => UniLora(targets, variant == "stored"),
            "DEFT" => Deft(targets, variant),
            "GLORA" => Glora(targets, variant),
            "PEANUT" => Peanut(targets, variant == "deep"),
            "SUPERTUNING" => Supertuning(targets, variant == "supra"),
            _ => Lora(targets, variant),
        };
    }

    private static AdapterBuilder TinyLora(BaseModule[] targets, string variant)
    {
        const int Numbers = 5;
        AdapterBuilder builder = Of("TINYLORA", "base_model.", ("r", 3), ("u", Numbers), ("projection_seed", 9), ("weight_tying", variant == "tied" ? 1.0 : 0.0), ("save_projection", variant != "seed"));
        for (int i = 0; i < targets.Length; i++)
        {
            BaseModule module = targets[i];
            if (variant != "tied" || i == 0)
            {
                builder.AddRandom($"tinylora_v.{i}", Numbers);
            }

            builder.AddRandom($"model.{module.Path}.tinylora_A", 3, module.Inputs);
            builder.AddRandom($"model.{module.Path}.tinylora_B", module.Outputs, 3);
            if (variant == "tied")
            {
                // Without them they are drawn, so that none can be left out in vain.
                builder.Config["save_projection"] = false;
            }
        }

        return builder;
    }

    private static AdapterBuilder UniLora(BaseModule[] targets, bool stored)
    {
        const int Numbers = 7;
        AdapterBuilder builder = Of("UNILORA", "base_model.", ("r", 2), ("theta_d_length", Numbers), ("proj_seed", 3), ("save_indices", stored));
        builder.AddRandom("unilora_theta_d", Numbers);
        foreach (BaseModule module in stored ? targets : [])
        {
            foreach ((string part, int rows, int columns) in (ReadOnlySpan<(string, int, int)>)[("A", 2, module.Inputs), ("B", module.Outputs, 2)])
            {
                builder.AddIntegers($"model.{module.Path}.unilora_indices_{part}", [.. Enumerable.Range(0, rows * columns).Select(i => i * i % Numbers)], rows, columns);
                builder.AddRandom($"model.{module.Path}.unilora_scales_{part}", rows, columns);
            }
        }

        return builder;
    }

    private static AdapterBuilder Deft(BaseModule[] targets, string variant)
    {
        AdapterBuilder builder = Of("DEFT", null, ("r", 3), ("alpha", 2), ("decomposition_method", variant == "qr" ? "qr" : "relu"), ("para", variant == "para"));
        foreach (BaseModule module in targets)
        {
            builder.AddRandom($"{module.Path}.deft_P", module.Outputs, 3);
            if (variant != "para")
            {
                builder.AddRandom($"{module.Path}.deft_R", 3, module.Inputs);
            }
        }

        return builder;
    }

    private static AdapterBuilder Glora(BaseModule[] targets, string variant)
    {
        string weights = variant == "" ? "lora" : variant;
        AdapterBuilder builder = Of("GLORA", null, ("r", 2), ("config_A_B", weights), ("config_C", variant == "vector" ? "vector" : "lora"), ("config_D_E", variant == "vector" ? "vector" : "constant"));
        foreach (BaseModule module in targets)
        {
            foreach (string part in (string[])["A", "B"])
            {
                Add(part, weights, module.Outputs, module.Inputs);
            }

            if (module.HasBias)
            {
                Add("C", variant == "vector" ? "vector" : "lora", module.Inputs, 1);
                Add("D", variant == "vector" ? "bias" : "constant", module.Outputs, 0);
                Add("E", variant == "vector" ? "bias" : "constant", module.Outputs, 0);
            }

            void Add(string part, string form, int rows, int columns)
            {
                string name = $"{module.Path}.glora_{part}";
                switch (form)
                {
                    case "lora":
                        builder.AddRandom($"{name}.Xd", rows, 2);
                        builder.AddRandom($"{name}.Xu", 2, columns);
                        break;
                    case "vector":
                        builder.AddRandom($"{name}.X", rows, 1);
                        break;
                    case "bias":
                        builder.AddRandom($"{name}.X", rows);
                        break;
                    default:
                        builder.AddRandom($"{name}.X", 1);
                        break;
                }
            }
        }

        return builder;
    }

    private static AdapterBuilder Peanut(BaseModule[] targets, bool deep)
    {
        AdapterBuilder builder = Of("PEANUT", null, ("r", 3), ("depth", deep ? 2 : 0), ("act_fn", deep ? "silu" : "relu"), ("scaling", 1.5));
        foreach (BaseModule module in targets)
        {
            builder.AddRandom($"{module.Path}.peanut_A.weight", 3, module.Outputs);
            builder.AddRandom($"{module.Path}.peanut_B.weight", module.Outputs, 3);
            for (int i = 0; deep && i < 2; i++)
            {
                builder.AddRandom($"{module.Path}.peanut_encoders.{i}.weight", 3, 3);
                builder.AddRandom($"{module.Path}.peanut_decoders.{i}.weight", 3, 3);
            }
        }

        return builder;
    }

    private static AdapterBuilder Supertuning(BaseModule[] targets, bool supra)
    {
        AdapterBuilder builder = Of("SUPERTUNING", null, ("sparsity", 0.75));
        if (supra)
        {
            (builder.Config["r"], builder.Config["lora_alpha"]) = (2, 3);
        }

        foreach (BaseModule module in targets)
        {
            int count = module.Outputs * module.Inputs / 4;
            builder.AddRandom($"{module.Path}.supertuning_values", count);
            builder.AddIntegers($"{module.Path}.supertuning_indices", [.. Enumerable.Range(0, count).Select(i => (i * 4) + (i % 3))], count);
            if (supra)
            {
                builder.AddRandom($"{module.Path}.supertuning_lora_A.weight", 2, module.Inputs);
                builder.AddRandom($"{module.Path}.supertuning_lora_B.weight", module.Outputs, 2);
            }
        }

        return builder;
    }

    private static AdapterBuilder Lora(BaseModule[] targets, string variant)
    {
        const int Group = 2;
        AdapterBuilder builder = Of("LORA", null, ("r", 3), ("lora_alpha", 4));
        switch (variant)
        {
            case "kasa":
                builder.Config["kasa_config"] = new JsonObject { ["beta"] = 1e-4, ["gamma"] = 1e-3 };
                break;
            case "qalora":
                (builder.Config["use_qalora"], builder.Config["qalora_group_size"]) = (true, Group);
                break;
            default:
                builder.Config["init_lora_weights"] = variant;
                break;
        }

        foreach (BaseModule module in targets)
        {
            builder.AddRandom($"{module.Path}.lora_A.weight", 3, variant == "qalora" ? module.Inputs / Group : module.Inputs);
            builder.AddRandom($"{module.Path}.lora_B.weight", module.Outputs, 3);
            if (variant == "kasa")
            {
                builder.AddRandom($"{module.Path}.lora_diag", 3);
            }
        }

        return builder;
    }

    private static AdapterBuilder Of(string type, string? prefix, params ReadOnlySpan<(string Name, object Value)> fields)
    {
        AdapterBuilder builder = prefix is null ? MethodAdapters.OnQueriesAndValues(type) : MethodAdapters.Plain(type, prefix);
        builder.Config["target_modules"] = new JsonArray("q_proj", "v_proj");
        foreach ((string name, object value) in fields)
        {
            builder.Config[name] = JsonValue.Create(value);
        }

        return builder;
    }
}
