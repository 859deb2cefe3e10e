using System.Text.Json;

namespace LoraServe.Tokenization.Files;

/// <summary>A value in a JSON file that knows its path, so that every complaint can say where.</summary>
/// <param name="Element">The value.</param>
/// <param name="Parent">The path of what holds it.</param>
/// <param name="Index">Its place in the array that holds it, or -1.</param>
internal readonly record struct JsonNode(JsonElement Element, string Parent, int Index = -1)
{
    /// <summary>Reads a text of our own.</summary>
    public static JsonNode Parse(string json)
    {
        using JsonDocument document = JsonDocument.Parse(json);
        return new JsonNode(document.RootElement.Clone(), "");
    }

    /// <summary>The field of an object, which must be there.</summary>
    public JsonNode this[string name] => Find(name) ?? throw Refused($"the field '{name}' is missing");

    /// <summary>Where the value is; made when asked for, since files have hundreds of thousands of values.</summary>
    public string Path => Index < 0 ? Parent : $"{Parent}[{Index}]";

    public bool IsObject => Element.ValueKind == JsonValueKind.Object;

    public bool IsString => Element.ValueKind == JsonValueKind.String;

    /// <summary>How many items an array has, or fields an object.</summary>
    public int Count => Element.ValueKind switch
    {
        JsonValueKind.Object => Element.GetPropertyCount(),
        JsonValueKind.Array => Element.GetArrayLength(),
        _ => throw Refused($"expected an array or an object, found {Kind}"),
    };

    /// <summary>Whether it is an array of two items.</summary>
    public bool IsPair => Element.ValueKind == JsonValueKind.Array && Element.GetArrayLength() == 2;

    /// <summary>The field of an object, or null where it is missing or null.</summary>
    public JsonNode? Find(string name)
    {
        if (!IsObject)
        {
            throw Refused($"expected an object, found {Kind}");
        }

        return Element.TryGetProperty(name, out JsonElement value) && value.ValueKind != JsonValueKind.Null
            ? new JsonNode(value, Path is { Length: > 0 } path ? $"{path}.{name}" : name)
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

    public double AsDouble() =>
        Element.ValueKind == JsonValueKind.Number && Element.TryGetDouble(out double value) && double.IsFinite(value)
            ? value
            : throw Refused($"expected a number, found {Kind}{(Element.ValueKind == JsonValueKind.Number ? $" {Element.GetRawText()}" : "")}");

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
        JsonElement.ArrayEnumerator elements = Elements();
        string path = Path;
        return elements.Select((element, index) => new JsonNode(element, path, index));
    }

    /// <summary>The items of an array without their paths.</summary>
    public JsonElement.ArrayEnumerator Elements() =>
        Element.ValueKind == JsonValueKind.Array ? Element.EnumerateArray() : throw Refused($"expected an array, found {Kind}");

    /// <summary>The fields of an object with their names.</summary>
    public IEnumerable<(string Name, JsonNode Value)> Fields()
    {
        JsonElement.ObjectEnumerator properties = Properties();
        string path = Path;
        return properties.Select(field => (NameOf(field, path), new JsonNode(field.Value, path)));
    }

    /// <summary>The fields of an object without their paths.</summary>
    public JsonElement.ObjectEnumerator Properties() =>
        IsObject ? Element.EnumerateObject() : throw Refused($"expected an object, found {Kind}");

    /// <summary>The name of a field of the object at a path.</summary>
    public static string NameOf(JsonProperty field, string path)
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

    public TokenizerFormatException Refused(string reason) => new(Path is { Length: > 0 } path ? $"{path}: {reason}" : reason);

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
}
