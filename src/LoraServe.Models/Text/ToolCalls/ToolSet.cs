using System.Text.Json;

namespace LoraServe.Models.Text.ToolCalls;

/// <summary>The tools that a conversation comes with: their names, and what they say of their parameters.</summary>
public sealed class ToolSet
{
    private const string FunctionField = "function";
    private const string NameField = "name";
    private const string ParametersField = "parameters";

    /// <summary>The schema of a tool that has none: no arguments.</summary>
    private static readonly JsonElement s_none = JsonElement.Parse("""{"type": "object", "properties": {}}""");

    private readonly Dictionary<string, JsonElement?> _parameters = new(StringComparer.Ordinal);

    /// <param name="tools">Each as templates take it: <c>{"type": "function", "function": {"name": …, "parameters": …}}</c>, or the function alone.</param>
    public ToolSet(IEnumerable<JsonElement> tools)
    {
        ArgumentNullException.ThrowIfNull(tools);
        foreach (JsonElement tool in tools)
        {
            JsonElement function = Field(tool, FunctionField, JsonValueKind.Object) ?? tool;
            if (Field(function, NameField, JsonValueKind.String) is { } named && JsonText.Of(named) is { } name)
            {
                _parameters[name] = Field(function, ParametersField, JsonValueKind.Object);
            }
        }
    }

    /// <summary>The tools' names.</summary>
    public IReadOnlyCollection<string> Names => _parameters.Keys;

    /// <summary>Whether there is a tool of this name.</summary>
    public bool Has(string name) => _parameters.ContainsKey(name);

    /// <summary>The JSON schema of a tool's parameters; null where it has none.</summary>
    public JsonElement? ParametersOf(string name) => _parameters.GetValueOrDefault(name);

    /// <summary>The tool of a name, to be called.</summary>
    internal CalledTool Called(string name) => new(name, ParametersOf(name) ?? s_none);

    /// <summary>Whether a parameter is a text by its schema, and nothing else.</summary>
    internal bool IsText(string tool, string parameter) =>
        ParametersOf(tool) is { } schema && Field(schema, "properties", JsonValueKind.Object) is { } properties
        && Field(properties, parameter, JsonValueKind.Object) is { } property
        && Field(property, "type", JsonValueKind.String)?.ValueEquals("string") == true;

    private static JsonElement? Field(JsonElement of, string name, JsonValueKind kind) =>
        JsonText.Member(of, name) is { } value && value.ValueKind == kind ? value : null;
}
