using System.Text.Json;
using LoraServe.Adapters.Files;

namespace LoraServe.Adapters.Peft;

/// <summary>What every <c>adapter_config.json</c> has in common.</summary>
internal static class PeftConfig
{
    /// <summary>The peft_type of LoRA and its variants.</summary>
    public const string Lora = "LORA";

    private static readonly JsonDocumentOptions s_strict = new() { AllowDuplicateProperties = false };

    /// <summary>Parses the file.</summary>
    /// <exception cref="AdapterFormatException">It is not JSON.</exception>
    public static JsonDocument Parse(AdapterFiles files)
    {
        try
        {
            return JsonDocument.Parse(files.Config, s_strict);
        }
        catch (JsonException broken)
        {
            throw new AdapterFormatException($"{files.ConfigPath}: is not valid JSON ({broken.Message}). Save the adapter again.", broken);
        }
    }

    /// <summary>Its fields.</summary>
    /// <exception cref="AdapterFormatException">It is not an object.</exception>
    public static ConfigFields Fields(AdapterFiles files, JsonDocument document) =>
        document.RootElement.ValueKind == JsonValueKind.Object
            ? new ConfigFields(files.ConfigPath, document.RootElement)
            : throw new AdapterFormatException($"{files.ConfigPath}: is a JSON {document.RootElement.ValueKind}; expected an object. Save the adapter again.");

    /// <summary>The method's name in PEFT.</summary>
    /// <exception cref="AdapterFormatException">There is none.</exception>
    public static string Type(ConfigFields fields) =>
        fields.Text("peft_type") ?? throw new AdapterFormatException($"{fields.File}: field 'peft_type' is missing; expected {Lora}. Save the adapter with PEFT.");
}
