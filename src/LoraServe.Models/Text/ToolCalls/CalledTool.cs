using System.Text.Json;

namespace LoraServe.Models.Text.ToolCalls;

/// <summary>A tool that is to be called.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Schema">The JSON schema of its arguments.</param>
internal sealed record CalledTool(string Name, JsonElement Schema)
{
    /// <summary>Longest chain of references that is followed; one that goes in a circle has no end.</summary>
    private const int MostReferences = 16;

    private static readonly string[] s_shared = ["$defs", "definitions"];

    /// <summary>Its parameters one by one: name, schema, and whether it must be given.</summary>
    public IEnumerable<(string Name, JsonElement Schema, bool IsRequired)> Parameters => ParametersOf(Schema);

    /// <summary>The properties of an object's schema.</summary>
    public static IEnumerable<(string Name, JsonElement Schema, bool IsRequired)> ParametersOf(JsonElement schema)
    {
        string?[] required = JsonText.Member(schema, "required") is { ValueKind: JsonValueKind.Array } names ? [.. names.EnumerateArray().Select(JsonText.Of)] : [];
        return JsonText.Member(schema, "properties") is { ValueKind: JsonValueKind.Object } properties
            ? properties.EnumerateObject().Select(property => (property.Name, property.Value, required.Contains(property.Name)))
            : [];
    }

    /// <summary>The type that a schema names, where it names one alone.</summary>
    public static string? TypeOf(JsonElement schema) => JsonText.Member(schema, "type") is { } type ? JsonText.Of(type) : null;

    /// <summary>The texts that a schema lists; null where it lists none, or others.</summary>
    public static IReadOnlyList<string>? TextsOf(JsonElement schema) =>
        JsonText.Member(schema, "enum") is { ValueKind: JsonValueKind.Array } values && values.EnumerateArray().All(value => value.ValueKind == JsonValueKind.String)
            ? [.. values.EnumerateArray().Select(JsonText.Of).OfType<string>()]
            : null;

    /// <summary>What a schema that refers to another within the tool's means; itself where it refers to none, or to what there is not.</summary>
    public JsonElement Resolved(JsonElement schema)
    {
        for (int i = 0; i < MostReferences && JsonText.Member(schema, "$ref") is { } pointer && JsonText.Of(pointer)?.Split('/') is ["#", .. string[] path]; i++)
        {
            JsonElement? found = Schema;
            foreach (string step in path)
            {
                string name = Uri.UnescapeDataString(step).Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal);
                found = found is { } at ? JsonText.Member(at, name) : null;
            }

            if (found is null)
            {
                break;
            }

            schema = found.Value;
        }

        return schema;
    }

    /// <summary>A schema within the tool's as one that stands alone, with the definitions that it may refer to.</summary>
    public JsonElement Alone(JsonElement schema)
    {
        string[] definitions = [.. from name in s_shared let shared = JsonText.Member(Schema, name) where shared is not null select $",\"{name}\":{shared.Value.GetRawText()}"];
        return definitions.Length == 0 ? schema : JsonElement.Parse($"{{\"allOf\":[{schema.GetRawText()}]{string.Concat(definitions)}}}");
    }
}
