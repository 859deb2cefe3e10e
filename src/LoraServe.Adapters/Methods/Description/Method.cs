using System.Globalization;
using System.Text.Json.Nodes;
using LoraServe.Adapters.Edits;

namespace LoraServe.Adapters.Methods.Description;

/// <summary>A method of fine-tuning: how its files are read, what of it is trained, how it is configured, and under which names users ask for it.</summary>
internal sealed class Method
{
    private const string Inner = "config";

    /// <summary>PEFT's peft_type, such as <c>LORA</c>, and the name of its template; null where it makes a model instead of an adapter.</summary>
    /// <remarks>Methods whose files are another's have its type, and no reader.</remarks>
    public string? Type { get; init; }

    /// <summary>Makes edits of an adapter's files; null where none are its own.</summary>
    public MethodReader? Read { get; init; }

    /// <summary>The same where an adapter's files are not all that it reads; null where they are.</summary>
    public DirectoryReader? ReadDirectory { get; init; }

    /// <summary>Reads its adapters, whichever of both it has; null where none are its own.</summary>
    public DirectoryReader? Reader => ReadDirectory ?? (Read is { } read ? (adapter, model) => read(adapter.Fields, adapter.Tensors, model) : null);

    /// <summary>Makes what is trained; null where adapters of it are only served.</summary>
    public MethodTrainer? Train { get; init; }

    /// <summary>Sets what a new configuration says of the base, where that is not what the fields' names usually mean.</summary>
    public Action<JsonObject, IBaseModel>? Complete { get; init; }

    /// <summary>What settings change in the configuration of the adapter that training goes on from; null: nothing.</summary>
    public Continuation? GoOn { get; init; }

    /// <summary>What users ask for.</summary>
    public IReadOnlyList<MethodVariant> Variants { get; init => field = [.. value.Select(variant => variant with { Method = this })]; } = [];

    /// <summary>The content of <c>adapter_config.json</c> of an adapter that is written here.</summary>
    /// <remarks>
    /// Keys and defaults are those that PEFT 0.21.2 writes, for bottleneck adapters those of AdapterHub's adapters 1.3.0, so that these
    /// libraries read the files as their own. They lie in the method's folder, as its template.
    /// </remarks>
    /// <param name="model">The base, which sets widths and numbers of layers and heads.</param>
    /// <param name="settings">Fields that are not to have their defaults. Of a bottleneck's, those of the inner object as well.</param>
    /// <exception cref="ArgumentException">The method has no such field.</exception>
    public JsonObject NewConfig(IBaseModel model, JsonObject settings)
    {
        JsonObject config = ReadTemplate();
        FillFromModel(config, model);
        Complete?.Invoke(config, model);
        foreach ((string name, JsonNode? value) in settings)
        {
            JsonObject owner = config[Inner] is JsonObject inner && inner.ContainsKey(name) ? inner : config;
            if (!owner.TryGetPropertyValue(name, out JsonNode? fallback))
            {
                throw new ArgumentException($"An adapter of type {Type} has no field '{name}'. It has {string.Join(", ", config.Concat(config[Inner] as JsonObject ?? []).Select(entry => entry.Key))}.", nameof(settings));
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

    private JsonObject ReadTemplate()
    {
        using Stream stream = typeof(Method).Assembly.GetManifestResourceStream(Type!)!;
        return JsonNode.Parse(stream)!.AsObject();
    }

    private static void FillFromModel(JsonObject config, IBaseModel model)
    {
        int headElements = model.Modules.First(module => module.Site.Role == SiteRole.Output).Inputs;
        if (config.ContainsKey("fan_in_fan_out"))
        {
            config["fan_in_fan_out"] = model.Modules.Any(module => module.IsTransposed);
        }

        foreach ((string name, int value) in (ReadOnlySpan<(string, int)>)
        [
            ("token_dim", model.Width),
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
        bool isFloat = fallback?.GetValueKind() == System.Text.Json.JsonValueKind.Number && fallback.ToJsonString().Contains('.', StringComparison.Ordinal);
        return isFloat && value?.GetValueKind() == System.Text.Json.JsonValueKind.Number && !value.ToJsonString().AsSpan().ContainsAny('.', 'e', 'E')
            ? JsonNode.Parse(string.Create(CultureInfo.InvariantCulture, $"{value.ToJsonString()}.0"))
            : value;
    }
}
