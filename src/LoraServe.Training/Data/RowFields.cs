using System.Text.Json;

namespace LoraServe.Training.Data;

/// <summary>The fields of a row's object. A field that would change what is learnt is read or refused, never passed over.</summary>
/// <param name="file">The file, for errors.</param>
/// <param name="line">Its line, from 1, for errors.</param>
/// <param name="row">The object.</param>
/// <param name="isForced">Whether the caller said what form it is in, so that fields of other forms are left out on purpose.</param>
internal sealed class RowFields(string file, int line, JsonElement row, bool isForced)
{
    /// <summary>Fields by which trainers change what is learnt. A row that has one beside what is read of it would be learnt otherwise than it says.</summary>
    private static readonly Dictionary<string, string> s_meaningful = new(StringComparer.Ordinal)
    {
        ["messages"] = "",
        ["conversations"] = "",
        ["prompt"] = "",
        ["completion"] = "",
        ["references"] = "",
        ["chosen"] = "",
        ["rejected"] = "",
        ["text"] = "",
        ["instruction"] = "",
        ["output"] = "",
        ["input"] = "",
        ["preferred_output"] = "",
        ["non_preferred_output"] = "",
        ["tools"] = "Tools belong to a conversation.",
        ["documents"] = "Documents belong to a conversation.",
        ["chat_template_kwargs"] = "It belongs to a conversation.",
        ["system"] = "Write a message with role system.",
        ["history"] = "Write earlier turns as messages.",
        ["functions"] = "Write tools instead.",
        ["function_call"] = "Write tool_calls in the assistant's message instead.",
        ["weight"] = "Weights belong to an assistant's turn.",
        ["label"] = "Rows that are only good or bad (KTO's label) are learnt in pairs here: write chosen and rejected.",
        ["labels"] = "Rows are tokenized here; write text.",
        ["input_ids"] = "Rows are tokenized here; write text.",
        ["token_ids"] = "Rows are tokenized here; write text.",
        ["attention_mask"] = "Rows are tokenized here; write text.",
        ["completion_mask"] = "Rows are tokenized here; write text.",
        ["assistant_masks"] = "Rows are tokenized here; write text.",
        ["image"] = "Models here read text alone.",
        ["images"] = "Models here read text alone.",
        ["video"] = "Models here read text alone.",
        ["videos"] = "Models here read text alone.",
        ["audio"] = "Models here read text alone.",
        ["audios"] = "Models here read text alone.",
    };

    /// <summary>Fields that say how a model was or is to be called, and nothing of the text.</summary>
    private static readonly HashSet<string> s_settled = ["parallel_tool_calls"];

    private readonly HashSet<string> _read = [];

    /// <summary>Whether a field is there and says something: null says nothing, nor does an empty list or text.</summary>
    public bool Has(string name) => row.TryGetProperty(name, out JsonElement value) && !IsEmpty(value);

    /// <summary>Whether a field is there and not null.</summary>
    public bool Says(string name) => row.TryGetProperty(name, out JsonElement value) && value.ValueKind != JsonValueKind.Null;

    /// <summary>Whether a field is an array.</summary>
    public bool IsArray(string name) => row.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.Array;

    /// <summary>Whether a field is there, whatever it says.</summary>
    public bool IsThere(string name) => row.TryGetProperty(name, out _);

    /// <summary>Reads a field; null where it is missing or null.</summary>
    public JsonElement? Find(string name)
    {
        _read.Add(name);
        return row.TryGetProperty(name, out JsonElement value) && value.ValueKind != JsonValueKind.Null ? value : null;
    }

    /// <summary>Reads a text; null where it is missing or null.</summary>
    public string? FindText(string name) => Find(name) is { } value ? AsText(name, value) : null;

    /// <summary>Reads a text.</summary>
    public string Text(string name)
    {
        _read.Add(name);
        return row.TryGetProperty(name, out JsonElement value) ? AsText(name, value) : throw Wrong($"\"{name}\" is missing; expected a string.");
    }

    /// <summary>Reads a text that is learnt or scored.</summary>
    public string Answer(string name) => NotEmpty(name, Text(name));

    /// <summary>Reads an array with something in it.</summary>
    public JsonElement[] Items(string name) => Items(name, row.TryGetProperty(name, out JsonElement value) ? value : throw Wrong($"\"{name}\" is missing; expected an array."));

    /// <summary>An array with something in it.</summary>
    public JsonElement[] Items(string name, JsonElement array)
    {
        _read.Add(name);
        return array.ValueKind == JsonValueKind.Array && array.GetArrayLength() > 0
            ? [.. array.EnumerateArray()]
            : throw Wrong($"\"{name}\" is {(array.ValueKind == JsonValueKind.Array ? "empty" : $"a JSON {array.ValueKind}")}; expected an array with at least one element.");
    }

    public string AsText(string name, JsonElement value) =>
        value.ValueKind == JsonValueKind.String ? value.GetString()! : throw Wrong($"\"{name}\" is a JSON {value.ValueKind}; expected a string.");

    public string NotEmpty(string name, string text) => text.Length > 0 ? text : throw Wrong($"\"{name}\" is empty; expected text to learn or to score.");

    /// <summary>What was read, complete: refuses what is left and would change it, and says what is left besides.</summary>
    public DataRow Complete(DataRow read)
    {
        List<string> unread = [];
        foreach (string name in row.EnumerateObject().Select(field => field.Name).Where(name => !_read.Contains(name) && !s_settled.Contains(name) && Has(name)))
        {
            if (s_meaningful.TryGetValue(name, out string? advice) && !(isForced && advice.Length == 0))
            {
                throw Wrong($"\"{name}\" stands beside {string.Join(", ", _read.Where(IsThere))}, of which the row is learnt, and would not be read. {(advice.Length > 0 ? advice : "Leave it out, or make a row of its own of it.")}");
            }

            unread.Add(name);
        }

        return unread.Count > 0 ? read with { Unread = unread } : read;
    }

    /// <summary>The names of the first fields, for messages.</summary>
    public string Names()
    {
        const int Most = 8;
        string[] names = [.. row.EnumerateObject().Select(property => property.Name).Take(Most)];
        return names.Length > 0 ? $"only the fields {string.Join(", ", names)}" : "no fields";
    }

    public DataRow Row(DataRowKind kind, RowFormat format) => new(file, line, kind) { Format = format };

    public TrainingDataException Wrong(string problem) => new(file, line, problem);

    private static bool IsEmpty(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null => true,
        JsonValueKind.Array => value.GetArrayLength() == 0,
        JsonValueKind.String => value.ValueEquals(""),
        _ => false,
    };
}
