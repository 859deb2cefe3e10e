using System.Text.Json;
using System.Text.Unicode;
using LoraServe.Compute.Files;

namespace LoraServe.Models.Config;

/// <summary>A JSON object of a model's files, read field by field; every refusal names file, field, value found and value expected.</summary>
/// <remarks>A field that is null counts as missing, as in transformers.</remarks>
internal sealed class JsonFields
{
    private const int MaxFileBytes = 64 << 20;
    private static readonly JsonDocumentOptions s_strict = new() { AllowDuplicateProperties = false };
    private readonly JsonElement _object;
    private readonly string _prefix;

    private JsonFields(string file, string prefix, JsonElement @object, List<string> warnings)
    {
        File = file;
        _prefix = prefix;
        _object = @object;
        Warnings = warnings;
    }

    /// <summary>The file, as it is called in messages.</summary>
    public string File { get; }

    /// <summary>What contradicts itself and was decided: a sentence each, of the whole file.</summary>
    public List<string> Warnings { get; }

    /// <summary>The names of the fields.</summary>
    public IEnumerable<string> Names => _object.EnumerateObject().Select(NameOf);

    /// <summary>Every field with its text, null where it has none: in one pass, for objects of many fields.</summary>
    public IEnumerable<(string Name, string? Text)> Texts =>
        _object.EnumerateObject().Select(member => (Name: NameOf(member), member.Value))
            .Select(named => (named.Name, named.Value.ValueKind == JsonValueKind.String ? Text(named.Name, named.Value) : null));

    /// <summary>Reads a file that must hold one JSON object, or gives null where there is no such file.</summary>
    public static JsonFields? TryLoad(string path) => System.IO.File.Exists(path) ? Load(path) : null;

    /// <summary>Reads a file that must hold one JSON object.</summary>
    public static JsonFields Load(string path)
    {
        try
        {
            if (new FileInfo(path).Length > MaxFileBytes)
            {
                throw new ModelFormatException(path, $"larger than {MaxFileBytes >> 20} MiB; expected a small JSON file");
            }

            byte[] bytes = System.IO.File.ReadAllBytes(path);
            if (ForeignContent.DescribeInsteadOfJson(bytes) is { } found)
            {
                throw new ModelFormatException(path, $"holds no JSON; it is {found}");
            }

            // The parser leaves texts as bytes; what is none would only show when somebody asks for it, if only for a complaint.
            if (!Utf8.IsValid(bytes))
            {
                throw new ModelFormatException(path, "is not UTF-8; expected JSON, which is");
            }

            using var document = JsonDocument.Parse(bytes, s_strict);
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? new JsonFields(path, "", document.RootElement.Clone(), [])
                : throw new ModelFormatException(path, $"holds a JSON {document.RootElement.ValueKind}; expected an object");
        }
        catch (JsonException error)
        {
            throw new ModelFormatException(path, $"is not valid JSON, {JsonMistake.Describe(error)}", error);
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new ModelFormatException(path, "is not there", error);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new ModelFormatException(path, $"cannot be read: {error.Message}", error);
        }
    }

    /// <summary>Whether the field is there, if only with null: what is not there has its library's default.</summary>
    public bool Mentions(string name) => _object.TryGetProperty(name, out _);

    /// <summary>Whether the field is there and not null.</summary>
    public bool Has(string name) => Find(name) is not null;

    /// <summary>A field that is an object, or null.</summary>
    public JsonFields? Object(string name) => Find(name) is { } value
        ? value.ValueKind == JsonValueKind.Object ? new JsonFields(File, $"{_prefix}{name}.", value, Warnings) : throw Wrong(name, "an object")
        : null;

    /// <summary>A field that is an array of objects, or null.</summary>
    public JsonFields[]? Objects(string name) => Find(name) is { } value
        ? value.ValueKind == JsonValueKind.Array && value.EnumerateArray().All(element => element.ValueKind == JsonValueKind.Object)
            ? [.. value.EnumerateArray().Select((element, index) => new JsonFields(File, $"{_prefix}{name}[{index}].", element, Warnings))]
            : throw Wrong(name, "an array of objects")
        : null;

    /// <summary>Whether every field of <paramref name="other"/> has the same value here.</summary>
    public bool Says(JsonFields other) => other.Names.All(name => other.Find(name) is not { } value || (Find(name) is { } own && JsonElement.DeepEquals(own, value)));

    /// <summary>Whether the field is true; anything else but a truth value is not looked at.</summary>
    public bool IsTrue(string name) => Find(name) is { ValueKind: JsonValueKind.True };

    /// <summary>Whether the field is a text.</summary>
    public bool IsString(string name) => Find(name) is { ValueKind: JsonValueKind.String };

    /// <summary>Whether the field is an object.</summary>
    public bool IsObject(string name) => Find(name) is { ValueKind: JsonValueKind.Object };

    /// <summary>A text, or null.</summary>
    public string? String(string name) => Find(name) is { } value
        ? value.ValueKind == JsonValueKind.String ? Text(name, value) : throw Wrong(name, "a string")
        : null;

    /// <summary>A truth value; <paramref name="otherwise"/> where it is missing.</summary>
    public bool Bool(string name, bool otherwise) => Find(name) is { } value
        ? value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean() : throw Wrong(name, "true or false")
        : otherwise;

    /// <summary>An integer from <paramref name="least"/> to <paramref name="most"/>; required.</summary>
    public long Integer(string name, long least, long most) =>
        FindInteger(name, least, most) ?? throw new ModelFormatException(File, $"'{_prefix}{name}' is missing; expected an integer from {least} to {most}");

    /// <summary>An integer from <paramref name="least"/> to <paramref name="most"/>, or null.</summary>
    public long? FindInteger(string name, long least, long most) => FindOne(name) is { } value
        ? value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out long number) && number >= least && number <= most
            ? number
            : throw Wrong(name, $"an integer from {least} to {most}")
        : null;

    /// <summary>A number that is at least <paramref name="least"/> and finite; required.</summary>
    public double Number(string name, double least) =>
        FindNumber(name, least) ?? throw new ModelFormatException(File, $"'{_prefix}{name}' is missing; expected a number of at least {least}");

    /// <summary>A number that is at least <paramref name="least"/> and finite, or null.</summary>
    public double? FindNumber(string name, double least) => FindOne(name) is { } value
        ? value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out double number) && number >= least && float.IsFinite((float)number)
            ? number
            : throw Wrong(name, $"a finite number of at least {least}")
        : null;

    /// <summary>An array of exactly <paramref name="count"/> finite numbers above 0; required.</summary>
    public float[] PositiveNumbers(string name, int count)
    {
        float[] numbers = Find(name) is { ValueKind: JsonValueKind.Array } value && value.EnumerateArray().All(element => element.ValueKind == JsonValueKind.Number)
            ? [.. value.EnumerateArray().Select(element => element.TryGetSingle(out float number) ? number : float.NaN)]
            : [];
        return numbers.Length == count && Array.TrueForAll(numbers, number => float.IsFinite(number) && number > 0)
            ? numbers
            : throw Wrong(name, $"{count} finite numbers above 0, one for each pair of a head's turned elements");
    }

    /// <summary>An array of texts, or null.</summary>
    public string[]? Strings(string name) => Find(name) is { } value
        ? value.ValueKind == JsonValueKind.Array && value.EnumerateArray().All(element => element.ValueKind == JsonValueKind.String)
            ? [.. value.EnumerateArray().Select(element => Text(name, element))]
            : throw Wrong(name, "an array of strings")
        : null;

    /// <summary>One integer or an array of them, each from <paramref name="least"/> to <paramref name="most"/>; empty where it is missing.</summary>
    public int[] OneOrMoreIntegers(string name, int least, int most)
    {
        if (Find(name) is not { } value)
        {
            return [];
        }

        JsonElement[] elements = value.ValueKind == JsonValueKind.Array ? [.. value.EnumerateArray()] : [value];
        return Array.ConvertAll(elements, element =>
            element.ValueKind == JsonValueKind.Number && element.TryGetInt32(out int number) && number >= least && number <= most
                ? number
                : throw Wrong(name, $"integers from {least} to {most}"));
    }

    /// <summary>Notes that a field contradicts what was decided.</summary>
    /// <param name="name">The field.</param>
    /// <param name="decided">What it contradicts and what counts, after the value found.</param>
    public void Warn(string name, string decided) => Warnings.Add($"{File}: '{_prefix}{name}' is {Shown(name)}, {decided}");

    /// <summary>The refusal of what a field holds.</summary>
    public ModelFormatException Wrong(string name, string expected) => new(File, $"'{_prefix}{name}' is {Shown(name)}; expected {expected}");

    private string Shown(string name)
    {
        string found = Find(name) is { } value ? string.Join(' ', value.GetRawText().Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)) : "missing";
        return found.Length > 100 ? found[..100] + "…" : found;
    }

    private string NameOf(JsonProperty member)
    {
        try
        {
            return member.Name;
        }
        catch (InvalidOperationException error)
        {
            throw new ModelFormatException(File, "a field's name has half of a surrogate pair; expected both halves", error);
        }
    }

    private string Text(string name, JsonElement value)
    {
        try
        {
            return value.GetString()!;
        }
        catch (InvalidOperationException error)
        {
            throw new ModelFormatException(File, $"'{_prefix}{name}' is not valid Unicode", error);
        }
    }

    // Some exporters write a number for each layer: equal ones are one.
    private JsonElement? FindOne(string name) =>
        Find(name) is { ValueKind: JsonValueKind.Array } values && values.EnumerateArray().FirstOrDefault() is { ValueKind: JsonValueKind.Number } first
        && values.EnumerateArray().All(value => JsonElement.DeepEquals(value, first))
            ? first
            : Find(name);

    private JsonElement? Find(string name) =>
        _object.TryGetProperty(name, out JsonElement value) && value.ValueKind != JsonValueKind.Null ? value : null;
}
