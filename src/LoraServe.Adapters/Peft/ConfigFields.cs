using System.Text.Json;

namespace LoraServe.Adapters.Peft;

/// <summary>Reads the fields of a JSON object strictly and remembers which were read.</summary>
internal sealed class ConfigFields(string file, JsonElement root, List<string> notes)
{
    private readonly HashSet<string> _read = new(StringComparer.Ordinal);

    /// <summary>The file, for messages.</summary>
    public string File { get; } = file;

    /// <summary>What is unusual and was read all the same, or left out.</summary>
    public List<string> Notes { get; } = notes;

    /// <summary>The fields that nothing has read and that are set to something.</summary>
    public IEnumerable<string> UnreadAndSet =>
        root.EnumerateObject().Where(entry => !_read.Contains(entry.Name) && IsSet(entry.Value)).Select(entry => entry.Name);

    /// <summary>The field's value; null where it is missing or null.</summary>
    public JsonElement? Find(string name)
    {
        _read.Add(name);
        return root.TryGetProperty(name, out JsonElement value) && value.ValueKind != JsonValueKind.Null ? value : null;
    }

    /// <summary>Marks fields as of no importance here.</summary>
    public void Ignore(params ReadOnlySpan<string> names)
    {
        foreach (string name in names)
        {
            _read.Add(name);
        }
    }

    /// <summary>Refuses the adapter where the field is set to something: null, false, 0, "" and empty lists are not.</summary>
    public void RequireUnset(string name, string why)
    {
        if (Find(name) is { } value && IsSet(value))
        {
            throw Refuse(name, value, $"it to be unset, since {why}");
        }
    }

    /// <summary>A flag.</summary>
    public bool Flag(string name, bool fallback) => Find(name) switch
    {
        null => fallback,
        { ValueKind: JsonValueKind.True } => true,
        { ValueKind: JsonValueKind.False } => false,
        { } value => throw Refuse(name, value, "true or false"),
    };

    /// <summary>A text.</summary>
    public string? Text(string name) => Find(name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.String } value => value.GetString(),
        { } value => throw Refuse(name, value, "a text"),
    };

    /// <summary>An integer of at least <paramref name="minimum"/>.</summary>
    public int? Integer(string name, int minimum) => Find(name) is { } value ? Integer(name, value, minimum) : null;

    /// <summary>A finite number.</summary>
    public double? Number(string name) => Find(name) is { } value ? Number(name, value) : null;

    /// <summary>A list of texts; a lone text counts as a list of one.</summary>
    public string[]? Texts(string name) => Find(name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.String } value => [value.GetString()!],
        { ValueKind: JsonValueKind.Array } value => [.. value.EnumerateArray().Select(item =>
            item.ValueKind == JsonValueKind.String ? item.GetString()! : throw Refuse(name, item, "texts in the list"))],
        { } value => throw Refuse(name, value, "a list of texts"),
    };

    /// <summary>A list of integers of at least 0; a lone integer counts as a list of one.</summary>
    public int[]? Integers(string name) => Find(name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.Array } value => Integers(name, value),
        { } value => [Integer(name, value, 0)],
    };

    /// <summary>The items of an array as integers of at least 0.</summary>
    public int[] Integers(string name, JsonElement array) =>
        array.ValueKind == JsonValueKind.Array
            ? [.. array.EnumerateArray().Select(item => Integer(name, item, 0))]
            : throw Refuse(name, array, "a list of integers");

    /// <summary>An object's fields in the order of the file.</summary>
    public IReadOnlyList<JsonProperty> Entries(string name) => Find(name) switch
    {
        null => [],
        { ValueKind: JsonValueKind.Object } value => [.. value.EnumerateObject()],
        { } value => throw Refuse(name, value, "an object"),
    };

    /// <summary>The fields of an object within; null where it is not set.</summary>
    /// <param name="name">The object.</param>
    /// <param name="known">What it may have.</param>
    /// <exception cref="AdapterFormatException">It is something else, or has other fields that are set.</exception>
    public ConfigFields? Group(string name, params string[] known)
    {
        if (Find(name) is not { } value)
        {
            return null;
        }

        var inner = value.ValueKind == JsonValueKind.Object ? new ConfigFields(File, value, Notes) : throw Refuse(name, value, "an object");
        inner.Ignore(known);
        return inner.UnreadAndSet.Any() ? throw Refuse(name, value, $"no fields but {string.Join(", ", known)}") : inner;
    }

    /// <summary>The value as an integer of at least <paramref name="minimum"/>.</summary>
    public int Integer(string name, JsonElement value, int minimum) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int number) && number >= minimum
            ? number
            : throw Refuse(name, value, $"an integer of at least {minimum}");

    /// <summary>The value as a finite number.</summary>
    public double Number(string name, JsonElement value) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out double number) && float.IsFinite((float)number)
            ? number
            : throw Refuse(name, value, "a finite number");

    /// <summary>A refusal that names the field, what it holds and what was expected.</summary>
    public AdapterFormatException Refuse(string name, JsonElement value, string expected) =>
        new($"{File}: field '{name}' is {Shorten(value.GetRawText())}; expected {expected}. Correct the field or export the adapter again.");

    private static string Shorten(string text) => text.Length <= 80 ? text : $"{text[..80]}…";

    private static bool IsSet(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null or JsonValueKind.False => false,
        JsonValueKind.Array => value.GetArrayLength() > 0,
        JsonValueKind.Object => value.EnumerateObject().Any(),
        JsonValueKind.String => value.GetString()!.Length > 0,
        JsonValueKind.Number => !value.TryGetDouble(out double number) || number != 0,
        _ => true,
    };
}
