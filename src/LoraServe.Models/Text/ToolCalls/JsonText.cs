using System.Text.Json;

namespace LoraServe.Models.Text.ToolCalls;

/// <summary>Texts and members of JSON that strangers write, in which names and texts may have half of a surrogate pair.</summary>
public static class JsonText
{
    /// <summary>The text; null where a value is none, or has half of a surrogate pair.</summary>
    public static string? Of(JsonElement value)
    {
        try
        {
            return value.ValueKind == JsonValueKind.String ? value.GetString() : null;
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>A member of an object; null where it has none of this name, or a name that cannot be read is among those before it.</summary>
    public static JsonElement? Member(JsonElement of, string name)
    {
        try
        {
            return of.ValueKind == JsonValueKind.Object && of.TryGetProperty(name, out JsonElement value) ? value : null;
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>The text that a piece of JSON is; null where it is none.</summary>
    public static string? Parse(string json)
    {
        try
        {
            return Of(JsonElement.Parse(json));
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
