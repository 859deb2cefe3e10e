namespace LoraServe.Grammars.Schemas;

/// <summary>What the keywords of JSON schemas say and of what.</summary>
internal static class SchemaKeywords
{
    /// <summary>Those that say nothing of which values are right.</summary>
    private static readonly HashSet<string> s_annotations =
    [
        "$schema", "$id", "$anchor", "$comment", "$defs", "definitions", "title", "description", "default", "example", "examples", "deprecated", "readOnly", "writeOnly",
        "contentEncoding", "contentMediaType", "strict", "propertyOrdering",
    ];

    /// <summary>Those that hold of any value.</summary>
    private static readonly HashSet<string> s_general = ["$ref", "allOf", "anyOf", "oneOf", "type", "nullable", "enum", "const"];

    /// <summary>Those that hold of values of one type.</summary>
    private static readonly Dictionary<string, string> s_types = new()
    {
        ["properties"] = "object",
        ["required"] = "object",
        ["additionalProperties"] = "object",
        ["unevaluatedProperties"] = "object",
        ["items"] = "array",
        ["prefixItems"] = "array",
        ["minItems"] = "array",
        ["maxItems"] = "array",
        ["uniqueItems"] = "array",
        ["minLength"] = "string",
        ["maxLength"] = "string",
        ["pattern"] = "string",
        ["format"] = "string",
        ["minimum"] = "number",
        ["maximum"] = "number",
        ["exclusiveMinimum"] = "number",
        ["exclusiveMaximum"] = "number",
    };

    public static bool IsKnown(string keyword) => s_annotations.Contains(keyword) || s_general.Contains(keyword) || s_types.ContainsKey(keyword);

    /// <summary>The type that a keyword is about; null where it is about none.</summary>
    public static string? TypeOf(string keyword) => s_types.GetValueOrDefault(keyword);
}
