using System.Text.Json.Nodes;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Peft;
using LoraServe.Models;
using LoraServe.Models.Architectures;

namespace LoraServe.Training.Methods;

/// <summary>Configurations as PEFT's and AdapterHub's readers expect them, from a job's settings.</summary>
internal static class MethodConfigs
{
    public static JsonObject Lora(MethodSettings settings) => Peft(PeftConfig.Lora, settings, new()
    {
        ["bias"] = "none",
        ["fan_in_fan_out"] = false,
        ["init_lora_weights"] = true,
        ["lora_alpha"] = settings.Alpha,
        ["lora_dropout"] = settings.Options.Dropout,
        ["modules_to_save"] = null,
        ["r"] = settings.Rank,
        ["target_modules"] = MethodSettings.List(settings.Targets()),
        ["use_dora"] = false,
        ["use_rslora"] = false,
    });

    /// <summary>LoRA's format with biases and, since PEFT asks for a target, one pair that is zero.</summary>
    public static JsonObject Biases(MethodSettings settings)
    {
        string target = settings.Model.Modules.First(module => module.Site == new Site(0, SiteRole.Key)).Path;
        return Peft(PeftConfig.Lora, settings, new()
        {
            ["bias"] = "all",
            ["lora_alpha"] = 1,
            ["r"] = 1,
            ["target_modules"] = MethodSettings.List([target]),
        });
    }

    public static JsonObject Vera(MethodSettings settings) => Peft("VERA", settings, new()
    {
        ["bias"] = "none",
        ["d_initial"] = 0.1,
        ["fan_in_fan_out"] = false,
        ["init_weights"] = true,
        ["modules_to_save"] = null,
        ["projection_prng_key"] = settings.Options.Seed,
        ["r"] = settings.Rank,
        ["save_projection"] = true,
        ["target_modules"] = MethodSettings.List(settings.Targets()),
        ["vera_dropout"] = 0,
    });

    /// <summary>Half as many ranks again at first; a tenth of the run before ranks are taken away, and a quarter after it.</summary>
    public static JsonObject AdaLora(MethodSettings settings)
    {
        int first = (settings.Rank * 3 / 2) + (settings.Rank == 1 ? 1 : 0);
        return Peft("ADALORA", settings, new()
        {
            ["beta1"] = 0.85,
            ["beta2"] = 0.85,
            ["bias"] = "none",
            ["deltaT"] = Math.Max(1, settings.TotalSteps / 100),
            ["fan_in_fan_out"] = false,
            ["init_lora_weights"] = true,
            ["init_r"] = first,
            ["lora_alpha"] = settings.Options.Alpha ?? 2 * first,
            ["lora_dropout"] = settings.Options.Dropout,
            ["modules_to_save"] = null,
            ["orth_reg_weight"] = 0.5,
            ["r"] = settings.Rank,
            ["rank_pattern"] = null,
            ["target_modules"] = MethodSettings.List(settings.Targets()),
            ["target_r"] = settings.Rank,
            ["tfinal"] = settings.TotalSteps / 4,
            ["tinit"] = settings.TotalSteps / 10,
            ["total_step"] = settings.TotalSteps,
        });
    }

    public static JsonObject Ia3(MethodSettings settings)
    {
        string[] targets = settings.Targets();
        string[] feedForward = [.. targets.Where(name => settings.Model.Modules.Any(module => module.Site.Role == SiteRole.Down && ModuleFilter.HasName(module.Path, name)))];
        return Peft("IA3", settings, new()
        {
            ["fan_in_fan_out"] = false,
            ["feedforward_modules"] = MethodSettings.List(feedForward),
            ["init_ia3_weights"] = true,
            ["modules_to_save"] = null,
            ["target_modules"] = MethodSettings.List(targets),
        });
    }

    public static JsonObject LayerNorms(MethodSettings settings) => Peft("LN_TUNING", settings, new()
    {
        ["modules_to_save"] = null,
        ["target_modules"] = MethodSettings.List(settings.TargetNorms()),
    });

    public static JsonObject Prompt(MethodSettings settings)
    {
        bool hasText = settings.Options.PromptText is { Length: > 0 };
        return Rows("PROMPT_TUNING", settings, settings.Model.Width, SiteRole.Query, new()
        {
            ["prompt_tuning_init"] = hasText ? "TEXT" : "RANDOM",
            ["prompt_tuning_init_text"] = hasText ? settings.Options.PromptText : null,
            ["tokenizer_kwargs"] = null,
            ["tokenizer_name_or_path"] = hasText ? settings.Context.BaseName : null,
        });
    }

    public static JsonObject PTuning(MethodSettings settings) => Rows("P_TUNING", settings, settings.Model.Width, SiteRole.Query, new()
    {
        ["encoder_dropout"] = 0.0,
        ["encoder_hidden_size"] = Math.Min(settings.Model.Width, 128),
        ["encoder_num_layers"] = 2,
        ["encoder_reparameterization_type"] = "MLP",
    });

    public static JsonObject Prefix(MethodSettings settings, bool projects)
    {
        int width = settings.Heads(SiteRole.Key) * settings.Model.HeadSize;
        return Rows("PREFIX_TUNING", settings, width, SiteRole.Key, new()
        {
            ["encoder_hidden_size"] = width,
            ["prefix_projection"] = projects,
        });
    }

    /// <summary>AdapterHub's, with a bottleneck as wide as the rank.</summary>
    public static JsonObject Bottleneck(
        MethodSettings settings, bool afterAttention, bool readsSum, bool isParallel, string nonLinearity, string firstWeights, double scale)
    {
        int width = settings.Model.Width;
        string architecture = settings.Model is Transformer model ? model.Spec.Architecture : "";
        return new JsonObject
        {
            ["config"] = new JsonObject
            {
                ["adapter_residual_before_ln"] = false,
                ["cross_adapter"] = false,
                ["dropout"] = settings.Options.Dropout,
                ["init_weights"] = firstWeights,
                ["inv_adapter"] = null,
                ["is_parallel"] = isParallel,
                ["leave_out"] = new JsonArray(),
                ["ln_after"] = false,
                ["ln_before"] = false,
                ["mh_adapter"] = afterAttention,
                ["non_linearity"] = nonLinearity,
                ["original_ln_after"] = true,
                ["original_ln_before"] = readsSum,
                ["output_adapter"] = true,
                ["phm_layer"] = false,

                // The reader rounds width / factor down: half a unit more keeps it from losing one.
                ["reduction_factor"] = width % settings.Rank == 0 ? width / settings.Rank : width / (settings.Rank + 0.5),
                ["residual_before_ln"] = true,
                ["scaling"] = scale,
                ["use_gating"] = false,
            },
            ["hidden_size"] = width,
            ["model_class"] = Architecture.All.FirstOrDefault(known => known.Name == architecture)?.ClassName,
            ["model_name"] = settings.Context.BaseName ?? "",
            ["model_type"] = architecture,
            ["name"] = "bottleneck",
            ["version"] = "adapters.1.3.0",
        };
    }

    private static JsonObject Rows(string type, MethodSettings settings, int width, SiteRole heads, JsonObject own)
    {
        own["modules_to_save"] = null;
        own["num_attention_heads"] = settings.Heads(heads);
        own["num_layers"] = settings.Model.LayerCount;
        own["num_transformer_submodules"] = 1;
        own["num_virtual_tokens"] = settings.VirtualTokens;
        own["token_dim"] = width;
        return Peft(type, settings, own);
    }

    private static JsonObject Peft(string type, MethodSettings settings, JsonObject own)
    {
        own["auto_mapping"] = null;
        own["base_model_name_or_path"] = settings.Context.BaseName;
        own["inference_mode"] = true;
        own["peft_type"] = type;
        own["revision"] = null;
        own["task_type"] = "CAUSAL_LM";
        return own;
    }
}
