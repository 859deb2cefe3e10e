using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using LoraServe.Adapters.Edits;

namespace LoraServe.Adapters.Peft;

/// <summary>Makes the content of <c>adapter_config.json</c> for adapters that are written here.</summary>
/// <remarks>
/// Keys and defaults are those that PEFT 0.21.2 writes, for bottleneck adapters those of AdapterHub's adapters 1.3.0, so that these
/// libraries read the files as their own. They lie beside this file, one template a method.
/// </remarks>
public static class AdapterConfigs
{
    private const string Inner = "config";

    /// <summary>A configuration.</summary>
    /// <param name="type">PEFT's peft_type, such as <c>LORA</c>; <c>BOTTLENECK</c> for AdapterHub's.</param>
    /// <param name="model">The base, which sets widths and numbers of layers and heads.</param>
    /// <param name="settings">Fields that are not to have their defaults. Of a bottleneck's, those of the inner object as well.</param>
    /// <exception cref="ArgumentException">The type cannot be written, or has no such field.</exception>
    public static JsonObject Create(string type, IBaseModel model, JsonObject settings)
    {
        ArgumentNullException.ThrowIfNull(type);
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(settings);
        JsonObject config = ReadTemplate(type);
        FillFromModel(config, type, model);
        foreach ((string name, JsonNode? value) in settings)
        {
            JsonObject owner = config[Inner] is JsonObject inner && inner.ContainsKey(name) ? inner : config;
            if (!owner.TryGetPropertyValue(name, out JsonNode? fallback))
            {
                throw new ArgumentException($"An adapter of type {type} has no field '{name}'. It has {string.Join(", ", config.Concat(config[Inner] as JsonObject ?? []).Select(entry => entry.Key))}.", nameof(settings));
            }

            owner[name] = LikeDefault(value?.DeepClone(), fallback);
        }

        // An encoder is as wide as what it makes unless it is told otherwise.
        if (config.TryGetPropertyValue("encoder_hidden_size", out JsonNode? size) && size is null)
        {
            config["encoder_hidden_size"] = config["token_dim"]!.DeepClone();
        }

        return config;
    }

    private static JsonObject ReadTemplate(string type)
    {
        using Stream stream = typeof(AdapterConfigs).Assembly.GetManifestResourceStream(type)
            ?? throw new ArgumentException($"Adapters of type {type} cannot be written; can be: {string.Join(", ", typeof(AdapterConfigs).Assembly.GetManifestResourceNames().Order(StringComparer.Ordinal))}.", nameof(type));
        return JsonNode.Parse(stream)!.AsObject();
    }

    private static void FillFromModel(JsonObject config, string type, IBaseModel model)
    {
        // A prefix counts what the cache holds: key/value heads and their elements.
        SiteRole heads = type == "PREFIX_TUNING" ? SiteRole.Key : SiteRole.Query;
        int headElements = model.Modules.First(module => module.Site.Role == heads).Outputs;
        foreach ((string name, int value) in (ReadOnlySpan<(string, int)>)
        [
            ("token_dim", type == "PREFIX_TUNING" ? headElements : model.Width),
            ("num_layers", model.LayerCount),
            ("num_attention_heads", headElements / model.HeadSize),
            ("hidden_size", model.Width),
        ])
        {
            if (config.ContainsKey(name))
            {
                config[name] = value;
            }
        }
    }

    // AdapterHub takes 1.0 for a number and 1 for an error.
    private static JsonNode? LikeDefault(JsonNode? value, JsonNode? fallback)
    {
        bool isFloat = fallback?.GetValueKind() == JsonValueKind.Number && fallback.ToJsonString().Contains('.', StringComparison.Ordinal);
        return isFloat && value?.GetValueKind() == JsonValueKind.Number && !value.ToJsonString().AsSpan().ContainsAny('.', 'e', 'E')
            ? JsonNode.Parse(string.Create(CultureInfo.InvariantCulture, $"{value.ToJsonString()}.0"))
            : value;
    }
}
