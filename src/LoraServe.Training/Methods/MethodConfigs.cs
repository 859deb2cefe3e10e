using System.Numerics;
using System.Text.Json.Nodes;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Peft;
using LoraServe.Models;
using LoraServe.Models.Architectures;

namespace LoraServe.Training.Methods;

/// <summary>Configurations as PEFT's and AdapterHub's readers expect them, from a job's settings.</summary>
internal static class MethodConfigs
{
    public static JsonObject Lora(MethodSettings settings, JsonObject? changes = null)
    {
        var own = new JsonObject
        {
            ["lora_alpha"] = settings.Alpha,
            ["lora_dropout"] = 0.0,
            ["r"] = settings.Rank,
            ["target_modules"] = MethodSettings.List(settings.Targets()),
        };
        foreach ((string name, JsonNode? value) in changes ?? new JsonObject())
        {
            own[name] = value?.DeepClone();
        }

        return Peft(PeftConfig.Lora, settings, own);
    }

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
        ["projection_prng_key"] = settings.Options.Seed,
        ["r"] = settings.Rank,
        ["target_modules"] = MethodSettings.List(settings.Targets()),
        ["vera_dropout"] = 0.0,
    });

    /// <summary>Methods whose configuration is little more than a rank and an alpha (LoHa, LoKr).</summary>
    public static JsonObject Scaled(string type, MethodSettings settings) => Peft(type, settings, new()
    {
        ["alpha"] = settings.Alpha,
        ["r"] = settings.Rank,
        ["target_modules"] = MethodSettings.List(settings.Targets()),
    });

    /// <summary>Vectors as long as fits all modules, up to 256.</summary>
    public static JsonObject VbLora(MethodSettings settings)
    {
        const int Longest = 256;
        string[] targets = settings.Targets();
        int common = settings.Model.Modules.Where(module => targets.Any(name => ModuleFilter.HasName(module.Path, name)))
            .Aggregate(0, (divisor, module) => (int)BigInteger.GreatestCommonDivisor(BigInteger.GreatestCommonDivisor(divisor, module.Outputs), module.Inputs));
        return Peft("VBLORA", settings, new()
        {
            ["r"] = settings.Rank,
            ["target_modules"] = MethodSettings.List(targets),
            ["vector_length"] = Enumerable.Range(1, Math.Min(common, Longest)).Last(length => common % length == 0),
        });
    }

    public static JsonObject Shira(MethodSettings settings) => Peft("SHIRA", settings, new()
    {
        ["r"] = settings.Rank,
        ["random_seed"] = settings.Options.Seed,
        ["target_modules"] = MethodSettings.List(settings.Targets()),
    });

    public static JsonObject Miss(MethodSettings settings) => Peft("MISS", settings, new()
    {
        ["r"] = settings.Rank,
        ["target_modules"] = MethodSettings.List(settings.Targets()),
    });

    /// <summary>Half as many ranks again at first; a tenth of the run before ranks are taken away, and a quarter after it.</summary>
    public static JsonObject AdaLora(MethodSettings settings)
    {
        int first = settings.Rank + Math.Max(settings.Rank / 2, 1);
        return Peft("ADALORA", settings, new()
        {
            ["deltaT"] = Math.Max(1, settings.TotalSteps / 100),
            ["init_r"] = first,
            ["lora_alpha"] = settings.Options.Alpha ?? 2 * first,
            ["lora_dropout"] = 0.0,
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
        string[] feedForward =
        [
            .. targets.Where(name => settings.Model.Modules.Any(module => module.Site.Role == SiteRole.Down && ModuleFilter.HasName(module.Path, name))),
        ];
        return Peft("IA3", settings, new()
        {
            ["feedforward_modules"] = MethodSettings.List(feedForward),
            ["target_modules"] = MethodSettings.List(targets),
        });
    }

    public static JsonObject Hra(MethodSettings settings) => Peft("HRA", settings, new()
    {
        ["r"] = settings.Rank,
        ["target_modules"] = MethodSettings.List(settings.Targets()),
    });

    public static JsonObject Oft(MethodSettings settings) => Peft("OFT", settings, new()
    {
        ["oft_block_size"] = settings.Rank,
        ["target_modules"] = MethodSettings.List(settings.Targets()),
    });

    public static JsonObject Boft(MethodSettings settings) => Peft("BOFT", settings, new()
    {
        ["boft_block_size"] = settings.Rank,
        ["target_modules"] = MethodSettings.List(settings.Targets()),
    });

    /// <summary>A thousand coefficients, in small models one for two elements of the smallest weight; zeros at first.</summary>
    public static JsonObject FourierFt(MethodSettings settings)
    {
        const long Usual = 1000;
        string[] targets = settings.Targets();
        long elements = settings.Model.Modules.Where(module => targets.Any(name => ModuleFilter.HasName(module.Path, name))).Min(module => (long)module.Outputs * module.Inputs);
        return Peft("FOURIERFT", settings, new()
        {
            ["init_weights"] = true,
            ["n_frequency"] = Math.Min(Usual, Math.Max(elements / 2, 1)),
            ["random_loc_seed"] = settings.Options.Seed,
            ["target_modules"] = MethodSettings.List(targets),
        });
    }

    /// <summary>Alpha is twenty times the rank, as usual with PEFT. The bases are not saved, since PEFT would do so at every module.</summary>
    public static JsonObject RandLora(MethodSettings settings) => Peft("RANDLORA", settings, new()
    {
        ["projection_prng_key"] = settings.Options.Seed,
        ["r"] = settings.Rank,
        ["randlora_alpha"] = settings.Options.Alpha ?? 20 * settings.Rank,
        ["save_projection"] = false,
        ["target_modules"] = MethodSettings.List(settings.Targets()),
    });

    public static JsonObject LayerNorms(MethodSettings settings) =>
        Peft("LN_TUNING", settings, new() { ["target_modules"] = MethodSettings.List(settings.TargetNorms()) });

    public static JsonObject Prompt(MethodSettings settings)
    {
        var own = new JsonObject { ["num_virtual_tokens"] = settings.VirtualTokens };
        if (settings.Options.PromptText is { Length: > 0 } text)
        {
            own["prompt_tuning_init"] = "TEXT";
            own["prompt_tuning_init_text"] = text;
            own["tokenizer_name_or_path"] = settings.Context.BaseName;
        }

        return Peft("PROMPT_TUNING", settings, own);
    }

    public static JsonObject PTuning(MethodSettings settings)
    {
        const int MostHidden = 128;
        return Peft("P_TUNING", settings, new()
        {
            ["encoder_hidden_size"] = Math.Min(settings.Model.Width, MostHidden),
            ["num_virtual_tokens"] = settings.VirtualTokens,
        });
    }

    public static JsonObject Prefix(MethodSettings settings, bool projects) => Peft("PREFIX_TUNING", settings, new()
    {
        ["num_virtual_tokens"] = settings.VirtualTokens,
        ["prefix_projection"] = projects,
    });

    /// <summary>AdapterHub's, with a bottleneck as wide as the rank.</summary>
    public static JsonObject Bottleneck(MethodSettings settings, JsonObject kind)
    {
        int width = settings.Model.Width;
        string architecture = settings.Model is Transformer model ? model.Spec.Architecture : "";
        var own = new JsonObject
        {
            ["dropout"] = 0.0,
            ["model_class"] = Architecture.All.FirstOrDefault(known => known.Name == architecture)?.ClassName,
            ["model_name"] = settings.Context.BaseName ?? "",
            ["model_type"] = architecture,

            // The reader rounds width / factor down: half a unit more keeps it from losing one.
            ["reduction_factor"] = width % settings.Rank == 0 ? width / settings.Rank : width / (settings.Rank + 0.5),
        };
        foreach ((string name, JsonNode? value) in kind)
        {
            own[name] = value?.DeepClone();
        }

        return Create(PeftConfig.Bottleneck, settings, own);
    }

    private static JsonObject Peft(string type, MethodSettings settings, JsonObject own)
    {
        own["base_model_name_or_path"] = settings.Context.BaseName;
        return Create(type, settings, own);
    }

    private static JsonObject Create(string type, MethodSettings settings, JsonObject own)
    {
        foreach ((string name, JsonNode? value) in settings.Overrides ?? new JsonObject())
        {
            own[name] = value?.DeepClone();
        }

        try
        {
            return AdapterConfigs.Create(type, settings.Model, own);
        }
        catch (ArgumentException unknown)
        {
            throw new TrainingOptionsException($"the adapter's configuration: {unknown.Message}");
        }
    }
}
