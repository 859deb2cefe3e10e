using System.Text.Json;

namespace LoraServe.Tokenization.Files;

/// <summary>A value in a JSON file that knows its path, so that every complaint can say where.</summary>
internal readonly record struct JsonNode(JsonElement Element, string Path)
{
    /// <summary>The field of an object, which must be there.</summary>
    public JsonNode this[string name] => Find(name) ?? throw Refused($"the field '{name}' is missing");

    public bool IsObject => Element.ValueKind == JsonValueKind.Object;

    public bool IsString => Element.ValueKind == JsonValueKind.String;

    /// <summary>The field of an object, or null where it is missing or null.</summary>
    public JsonNode? Find(string name)
    {
        if (!IsObject)
        {
            throw Refused($"expected an object, found {Kind}");
        }

        return Element.TryGetProperty(name, out JsonElement value) && value.ValueKind != JsonValueKind.Null
            ? new JsonNode(value, Path.Length == 0 ? name : $"{Path}.{name}")
            : null;
    }

    public string AsString()
    {
        if (!IsString)
        {
            throw Refused($"expected a string, found {Kind}");
        }

        try
        {
            return Element.GetString()!;
        }
        catch (InvalidOperationException exception)
        {
            throw new TokenizerFormatException($"{Path}: the string is not valid Unicode", exception);
        }
    }

    public int AsInt() =>
        Element.ValueKind == JsonValueKind.Number && Element.TryGetInt32(out int value)
            ? value
            : throw Refused($"expected a whole number of 32 bits, found {Kind}{(Element.ValueKind == JsonValueKind.Number ? $" {Element.GetRawText()}" : "")}");

    public bool AsBool() => Element.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => throw Refused($"expected true or false, found {Kind}"),
    };

    public bool BoolOr(string name, bool otherwise) => Find(name)?.AsBool() ?? otherwise;

    public string StringOr(string name, string otherwise) => Find(name)?.AsString() ?? otherwise;

    /// <summary>The items of an array.</summary>
    public IEnumerable<JsonNode> Items()
    {
        if (Element.ValueKind != JsonValueKind.Array)
        {
            throw Refused($"expected an array, found {Kind}");
        }

        string path = Path;
        return Element.EnumerateArray().Select((item, index) => new JsonNode(item, $"{path}[{index}]"));
    }

    /// <summary>The fields of an object with their names.</summary>
    public IEnumerable<(string Name, JsonNode Value)> Fields()
    {
        if (!IsObject)
        {
            throw Refused($"expected an object, found {Kind}");
        }

        string path = Path;
        return Element.EnumerateObject().Select(field => (NameOf(field, path), new JsonNode(field.Value, path)));
    }

    public TokenizerFormatException Refused(string reason) => new(Path.Length == 0 ? reason : $"{Path}: {reason}");

    private string Kind => Element.ValueKind switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "an array",
        JsonValueKind.String => "a string",
        JsonValueKind.Number => "the number",
        JsonValueKind.True => "true",
        JsonValueKind.False => "false",
        _ => "null",
    };

    private static string NameOf(JsonProperty field, string path)
    {
        try
        {
            return field.Name;
        }
        catch (InvalidOperationException exception)
        {
            throw new TokenizerFormatException($"{path}: a field's name is not valid Unicode", exception);
        }
    }
}
