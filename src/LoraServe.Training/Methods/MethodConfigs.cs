using System.Text.Json.Nodes;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Peft;
using LoraServe.Models;
using LoraServe.Models.Architectures;

namespace LoraServe.Training.Methods;

/// <summary>Configurations as PEFT's and AdapterHub's readers expect them, from a job's settings.</summary>
internal static class MethodConfigs
{
    public static JsonObject Lora(MethodSettings settings) => Create(PeftConfig.Lora, settings, new()
    {
        ["lora_alpha"] = settings.Alpha,
        ["lora_dropout"] = settings.Options.Dropout,
        ["r"] = settings.Rank,
        ["target_modules"] = MethodSettings.List(settings.Targets()),
    });

    /// <summary>LoRA's format with biases and, since PEFT asks for a target, one pair that is zero.</summary>
    public static JsonObject Biases(MethodSettings settings)
    {
        string target = settings.Model.Modules.First(module => module.Site == new Site(0, SiteRole.Key)).Path;
        return Create(PeftConfig.Lora, settings, new()
        {
            ["bias"] = "all",
            ["lora_alpha"] = 1,
            ["r"] = 1,
            ["target_modules"] = MethodSettings.List([target]),
        });
    }

    public static JsonObject Vera(MethodSettings settings) => Create("VERA", settings, new()
    {
        ["projection_prng_key"] = settings.Options.Seed,
        ["r"] = settings.Rank,
        ["target_modules"] = MethodSettings.List(settings.Targets()),
    });

    /// <summary>Half as many ranks again at first; a tenth of the run before ranks are taken away, and a quarter after it.</summary>
    public static JsonObject AdaLora(MethodSettings settings)
    {
        int first = (settings.Rank * 3 / 2) + (settings.Rank == 1 ? 1 : 0);
        return Create("ADALORA", settings, new()
        {
            ["deltaT"] = Math.Max(1, settings.TotalSteps / 100),
            ["init_r"] = first,
            ["lora_alpha"] = settings.Options.Alpha ?? 2 * first,
            ["lora_dropout"] = settings.Options.Dropout,
            ["r"] = settings.Rank,
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
        return Create("IA3", settings, new()
        {
            ["feedforward_modules"] = MethodSettings.List(feedForward),
            ["target_modules"] = MethodSettings.List(targets),
        });
    }

    public static JsonObject LayerNorms(MethodSettings settings) => Create("LN_TUNING", settings, new()
    {
        ["target_modules"] = MethodSettings.List(settings.TargetNorms()),
    });

    public static JsonObject Prompt(MethodSettings settings)
    {
        bool hasText = settings.Options.PromptText is { Length: > 0 };
        return Create("PROMPT_TUNING", settings, new()
        {
            ["num_virtual_tokens"] = settings.VirtualTokens,
            ["prompt_tuning_init"] = hasText ? "TEXT" : "RANDOM",
            ["prompt_tuning_init_text"] = hasText ? settings.Options.PromptText : null,
            ["tokenizer_name_or_path"] = hasText ? settings.Context.BaseName : null,
        });
    }

    public static JsonObject PTuning(MethodSettings settings) => Create("P_TUNING", settings, new()
    {
        ["encoder_hidden_size"] = Math.Min(settings.Model.Width, 128),
        ["num_virtual_tokens"] = settings.VirtualTokens,
    });

    public static JsonObject Prefix(MethodSettings settings, bool projects) => Create("PREFIX_TUNING", settings, new()
    {
        ["num_virtual_tokens"] = settings.VirtualTokens,
        ["prefix_projection"] = projects,
    });

    /// <summary>AdapterHub's, with a bottleneck as wide as the rank.</summary>
    public static JsonObject Bottleneck(
        MethodSettings settings, bool afterAttention, bool readsSum, bool isParallel, string nonLinearity, string firstWeights, double scale)
    {
        int width = settings.Model.Width;
        string architecture = settings.Model is Transformer model ? model.Spec.Architecture : "";
        return AdapterConfigs.Create(PeftConfig.Bottleneck, settings.Model, new()
        {
            ["dropout"] = settings.Options.Dropout,
            ["init_weights"] = firstWeights,
            ["is_parallel"] = isParallel,
            ["mh_adapter"] = afterAttention,
            ["non_linearity"] = nonLinearity,
            ["original_ln_before"] = readsSum,

            // The reader rounds width / factor down: half a unit more keeps it from losing one.
            ["reduction_factor"] = width % settings.Rank == 0 ? width / settings.Rank : width / (settings.Rank + 0.5),
            ["scaling"] = scale,
            ["model_class"] = Architecture.All.FirstOrDefault(known => known.Name == architecture)?.ClassName,
            ["model_name"] = settings.Context.BaseName ?? "",
            ["model_type"] = architecture,
        });
    }

    private static JsonObject Create(string type, MethodSettings settings, JsonObject own)
    {
        own["base_model_name_or_path"] = settings.Context.BaseName;
        return AdapterConfigs.Create(type, settings.Model, own);
    }
}
