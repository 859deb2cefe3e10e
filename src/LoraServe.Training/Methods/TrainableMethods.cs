using System.Text.Json.Nodes;
using LoraServe.Adapters;
using LoraServe.Adapters.Peft;

namespace LoraServe.Training.Methods;

/// <summary>Makes adapters for training from configurations.</summary>
internal static class TrainableMethods
{
    private static readonly Dictionary<string, Func<JsonObject, IBaseModel, TrainableOptions, TrainableAdapter>> s_byType = new(StringComparer.Ordinal)
    {
        [PeftConfig.Lora] = (config, model, options) => new TrainableLora(config, model, options),
        ["ADALORA"] = (config, model, options) => new TrainableAdaLora(config, model, options),
        ["VERA"] = (config, model, _) => new TrainableVera(config, model),
        ["LOHA"] = (config, model, options) => new TrainableLoha(config, model, options),
        ["LOKR"] = (config, model, options) => new TrainableLokr(config, model, options),
        ["VBLORA"] = (config, model, options) => new TrainableVbLora(config, model, options),
        ["SHIRA"] = (config, model, options) => new TrainableShira(config, model, options),
        ["MISS"] = (config, model, options) => new TrainableMiss(config, model, options),
        ["IA3"] = (config, model, _) => new TrainableIa3(config, model),
        ["HRA"] = (config, model, options) => new TrainableHra(config, model, options),
        ["OFT"] = (config, model, options) => new TrainableOft(config, model, options),
        ["BOFT"] = (config, model, options) => new TrainableBoft(config, model, options),
        ["FOURIERFT"] = (config, model, options) => new TrainableFourierFt(config, model, options),
        ["RANDLORA"] = (config, model, _) => new TrainableRandLora(config, model),
        ["LN_TUNING"] = (config, model, _) => new TrainableLayerNorms(config, model),
        ["TRAINABLE_TOKENS"] = (config, model, _) => new TrainableTokenRows(config, model),
        ["PROMPT_TUNING"] = (config, model, options) => new TrainablePrompt(config, model, options),
        ["P_TUNING"] = (config, model, options) => new TrainablePTuning(config, model, options),
        ["PREFIX_TUNING"] = (config, model, options) => new TrainablePrefix(config, model, options),
        [PeftConfig.Bottleneck] = (config, model, options) => new TrainableBottleneck(config, model, options),
    };

    /// <summary>The peft_types that can be trained.</summary>
    public static IReadOnlyCollection<string> Types => s_byType.Keys;

    /// <summary>An adapter at its first values.</summary>
    /// <param name="config">A configuration of PEFT, whose peft_type names the method, or of AdapterHub.</param>
    /// <param name="model">The base.</param>
    /// <param name="options">What else training needs to know.</param>
    /// <exception cref="AdapterFormatException">The configuration is wrong or not supported.</exception>
    public static TrainableAdapter Create(JsonObject config, IBaseModel model, TrainableOptions options)
    {
        string type = PeftConfig.Type(PeftConfig.Fields(config));
        return s_byType.TryGetValue(type, out Func<JsonObject, IBaseModel, TrainableOptions, TrainableAdapter>? create)
            ? create(config, model, options)
            : throw new AdapterFormatException($"peft_type is {type}; can be trained: {string.Join(", ", s_byType.Keys)}.");
    }
}
