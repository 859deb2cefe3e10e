using System.Text.Json;
using System.Text.Json.Nodes;
using LoraServe.Adapters.Files;
using LoraServe.Compute.Files;

namespace LoraServe.Adapters.Peft;

/// <summary>What every <c>adapter_config.json</c> has in common.</summary>
internal static class PeftConfig
{
    /// <summary>The peft_type of LoRA and its variants.</summary>
    public const string Lora = "LORA";

    /// <summary>What stands here for AdapterHub's bottleneck adapters, whose configuration has no peft_type.</summary>
    public const string Bottleneck = "BOTTLENECK";

    private static readonly JsonDocumentOptions s_strict = new() { AllowDuplicateProperties = false };

    /// <summary>Parses the file.</summary>
    /// <exception cref="AdapterFormatException">It is not JSON.</exception>
    public static JsonElement Parse(AdapterFiles files)
    {
        try
        {
            using var document = JsonDocument.Parse(files.Config, s_strict);
            DecodeTexts(document.RootElement);
            return document.RootElement.Clone();
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException)
        {
            string what = broken is not JsonException mistake ? broken.Message
                : ForeignContent.DescribeInsteadOfJson(files.Config) is { } found ? $"it is {found}"
                : JsonMistake.Describe(mistake);
            throw new AdapterFormatException($"{files.ConfigPath}: is not valid JSON ({what}). Save the adapter again.", broken);
        }
    }

    /// <summary>The fields of a configuration that is about to be trained and then saved.</summary>
    public static ConfigFields Fields(JsonObject config) => new(AdapterFileNames.Config, JsonSerializer.SerializeToElement(config), []);

    /// <summary>Its fields.</summary>
    /// <exception cref="AdapterFormatException">It is not an object.</exception>
    public static ConfigFields Fields(AdapterFiles files, JsonElement config, List<string> notes) =>
        config.ValueKind == JsonValueKind.Object
            ? new ConfigFields(files.ConfigPath, config, notes)
            : throw new AdapterFormatException($"{files.ConfigPath}: is a JSON {config.ValueKind}; expected an object. Save the adapter again.");

    /// <summary>The method's name in PEFT, in capitals.</summary>
    /// <exception cref="AdapterFormatException">There is none.</exception>
    public static string Type(ConfigFields fields)
    {
        if (fields.Text("peft_type") is { } type)
        {
            return type;
        }

        return fields.Find("config") is { ValueKind: JsonValueKind.Object }
            ? Bottleneck
            : throw new AdapterFormatException($"{fields.File}: field 'peft_type' is missing; expected a method's name such as {Lora}. Save the adapter with PEFT or AdapterHub.");
    }

    /// <summary>Refuses what a method's reader has not read and which is set to something, except what is the same for all methods and does nothing here, and what is noted.</summary>
    /// <exception cref="AdapterFormatException">A field is set that nobody knows.</exception>
    public static void RefuseTheRest(ConfigFields fields)
    {
        fields.Ignore(
            "peft_type", "base_model_name_or_path", "task_type", "auto_mapping", "revision", "inference_mode", "peft_version", "fan_in_fan_out", "runtime_config");
        if (fields.UnreadAndSet.FirstOrDefault(name => !ForeignSettings.ConcernTraining(name)) is { } unknown)
        {
            throw new AdapterFormatException($"{fields.File}: field '{unknown}' is set and not known here; what it does to the result would be lost. Remove it if it does nothing, or export the adapter as plain LoRA.");
        }

        string[] foreign = [.. fields.UnreadAndSet];
        if (foreign.Length > 0)
        {
            fields.Notes.Add($"{fields.File}: {string.Join(", ", foreign.Select(name => $"'{name}'"))} {(foreign.Length == 1 ? "is no setting" : "are no settings")} of PEFT that changes the result, and not used.");
        }
    }

    // The parser leaves texts as bytes; what is not Unicode would only show when somebody asks for it.
    private static void DecodeTexts(JsonElement element)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                foreach (JsonProperty property in element.EnumerateObject())
                {
                    _ = property.Name;
                    DecodeTexts(property.Value);
                }

                break;
            case JsonValueKind.Array:
                foreach (JsonElement item in element.EnumerateArray())
                {
                    DecodeTexts(item);
                }

                break;
            case JsonValueKind.String:
                _ = element.GetString();
                break;
        }
    }
}
