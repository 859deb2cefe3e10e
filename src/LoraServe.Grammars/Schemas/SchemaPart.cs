using System.Text.Json;

namespace LoraServe.Grammars.Schemas;

/// <summary>One of the schemas that a value must satisfy at once.</summary>
/// <param name="Value">The schema.</param>
/// <param name="Pointer">Where it stands, as a JSON pointer.</param>
internal sealed record SchemaPart(JsonElement Value, string Pointer)
{
    /// <summary>Whether its <c>anyOf</c> is counted elsewhere: one of its branches is among the others.</summary>
    public bool HasChosenAny { get; init; }

    /// <summary>Whether its <c>oneOf</c> is counted elsewhere.</summary>
    public bool HasChosenOne { get; init; }

    /// <summary>A name that tells it from all other parts.</summary>
    public string Key => $"{Pointer}{(HasChosenAny ? "|any" : "")}{(HasChosenOne ? "|one" : "")}";

    /// <summary>A keyword's value; null where it is not there.</summary>
    public JsonElement? this[string keyword] => Value.ValueKind == JsonValueKind.Object && Value.TryGetProperty(keyword, out JsonElement value) ? value : null;

    /// <summary>What stands below it.</summary>
    public SchemaPart Below(JsonElement value, params ReadOnlySpan<string> path)
    {
        string pointer = Pointer;
        foreach (string step in path)
        {
            pointer += "/" + step.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal);
        }

        return new SchemaPart(value, pointer);
    }
}
