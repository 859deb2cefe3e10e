using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace LoraServe.Training.Data;

/// <summary>Reads one line of JSON Lines.</summary>
/// <param name="file">The file, for errors.</param>
/// <param name="line">Its line, from 1, for errors.</param>
internal readonly ref struct RowParser(string file, int line)
{
    /// <summary>Fields of which a row has one: it says what kind of row it is.</summary>
    private static readonly string[] s_kinds = ["text", "messages", "completion", "references", "chosen"];

    private static readonly JsonDocumentOptions s_strict = new() { AllowDuplicateProperties = false };

    /// <exception cref="TrainingDataException">The line is not a row of any kind.</exception>
    public DataRow Parse(ReadOnlyMemory<byte> utf8)
    {
        if (!Utf8.IsValid(utf8.Span))
        {
            throw Wrong($"byte {ValidPrefix(utf8.Span) + 1} of the line is not UTF-8. Save the file as UTF-8.");
        }

        try
        {
            using JsonDocument document = JsonDocument.Parse(utf8, s_strict);
            return ToRow(document.RootElement);
        }
        catch (JsonException exception)
        {
            throw Wrong($"not JSON{Place(exception)}. Each line must be one JSON object.", exception);
        }
        catch (InvalidOperationException exception)
        {
            // What the JSON reader throws for \ud800 without its other half.
            throw Wrong("a text has half of a surrogate pair (\\ud800 to \\udfff); expected both halves.", exception);
        }
    }

    /// <summary>Where in the line, and what is wrong there; the reader's own words count lines from 0, of which there is but one.</summary>
    private static string Place(JsonException exception)
    {
        int end = exception.Message.IndexOf(". LineNumber", StringComparison.Ordinal);
        return $"{(exception.BytePositionInLine is { } at ? $" at byte {at + 1}" : "")}: {(end < 0 ? exception.Message.TrimEnd('.') : exception.Message[..end])}";
    }

    private DataRow ToRow(JsonElement row)
    {
        if (row.ValueKind != JsonValueKind.Object)
        {
            throw Wrong($"a JSON {row.ValueKind}; expected an object.");
        }

        CheckKind(row);
        if (row.TryGetProperty("messages", out JsonElement messages))
        {
            return new DataRow(file, line, DataRowKind.Conversation, "", "", null, Conversation(messages));
        }

        if (row.TryGetProperty("prompt", out _))
        {
            string prompt = Text(row, "prompt");
            if (row.TryGetProperty("completion", out _))
            {
                return new DataRow(file, line, DataRowKind.Completion, prompt, Answer(row, "completion"), null, []);
            }

            if (row.TryGetProperty("references", out JsonElement references))
            {
                return new DataRow(file, line, DataRowKind.References, prompt, $" {NotEmpty("references[0]", AsText("references[0]", Elements(references, "references")[0]))}", null, []);
            }

            if (row.TryGetProperty("chosen", out _))
            {
                return new DataRow(file, line, DataRowKind.Preference, prompt, Answer(row, "chosen"), Answer(row, "rejected"), []);
            }
        }

        return row.TryGetProperty("text", out _)
            ? new DataRow(file, line, DataRowKind.Text, "", Answer(row, "text"), null, [])
            : throw Wrong($"has {Fields(row)}; expected prompt with completion, references or with chosen and rejected, or messages, or text.");
    }

    /// <summary>A row of two kinds would be learnt as one of them, and what the other says be lost without a word.</summary>
    private void CheckKind(JsonElement row)
    {
        string[] kinds = [.. s_kinds.Where(field => row.TryGetProperty(field, out _))];
        if (kinds.Length > 1)
        {
            throw Wrong($"has both {kinds[0]} and {kinds[1]}, which are rows of two kinds. Leave one out, or make two rows of it.");
        }

        if (kinds is ["text" or "messages"] && row.TryGetProperty("prompt", out _))
        {
            throw Wrong($"has {kinds[0]} beside prompt, which would not be read. Write prompt and completion, or {kinds[0]} alone.");
        }
    }

    private JsonElement[] Conversation(JsonElement messages)
    {
        JsonElement[] turns = Elements(messages, "messages");
        bool answers = false;
        for (int i = 0; i < turns.Length; i++)
        {
            JsonElement turn = turns[i];
            if (turn.ValueKind != JsonValueKind.Object)
            {
                throw Wrong($"messages[{i}] is a JSON {turn.ValueKind}; expected an object with role and content.");
            }

            CheckTexts(turn);
            Text(turn, DataRow.Role, $"messages[{i}].");
            if (DataRow.IsAssistant(turn))
            {
                NotEmpty($"messages[{i}].content", Text(turn, DataRow.Content, $"messages[{i}]."));
                answers = true;
            }

            turns[i] = turn.Clone();
        }

        return answers ? turns : throw Wrong("messages has no assistant turn to learn or to score.");
    }

    /// <summary>Throws what the JSON reader throws for a broken text, wherever a chat template might look.</summary>
    private static void CheckTexts(JsonElement value)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.String:
                value.GetString();
                break;
            case JsonValueKind.Array:
                foreach (JsonElement item in value.EnumerateArray())
                {
                    CheckTexts(item);
                }

                break;
            case JsonValueKind.Object:
                foreach (JsonProperty property in value.EnumerateObject())
                {
                    _ = property.Name;
                    CheckTexts(property.Value);
                }

                break;
        }
    }

    private JsonElement[] Elements(JsonElement array, string field) =>
        array.ValueKind == JsonValueKind.Array && array.GetArrayLength() > 0
            ? [.. array.EnumerateArray()]
            : throw Wrong($"\"{field}\" is {(array.ValueKind == JsonValueKind.Array ? "empty" : $"a JSON {array.ValueKind}")}; expected an array with at least one element.");

    private string Answer(JsonElement row, string field) => NotEmpty(field, Text(row, field));

    private string NotEmpty(string field, string text) =>
        text.Length > 0 ? text : throw Wrong($"\"{field}\" is empty; expected text to learn or to score.");

    private string Text(JsonElement row, string field, string path = "") =>
        row.TryGetProperty(field, out JsonElement value) ? AsText($"{path}{field}", value) : throw Wrong($"\"{path}{field}\" is missing; expected a string.");

    private string AsText(string field, JsonElement value) =>
        value.ValueKind == JsonValueKind.String ? value.GetString()! : throw Wrong($"\"{field}\" is a JSON {value.ValueKind}; expected a string.");

    private static string Fields(JsonElement row)
    {
        const int Most = 8;
        string[] names = [.. row.EnumerateObject().Select(property => property.Name).Take(Most)];
        return names.Length > 0 ? $"only the fields {string.Join(", ", names)}" : "no fields";
    }

    private static int ValidPrefix(ReadOnlySpan<byte> utf8)
    {
        int valid = 0;
        while (Rune.DecodeFromUtf8(utf8[valid..], out _, out int length) == System.Buffers.OperationStatus.Done)
        {
            valid += length;
        }

        return valid;
    }

    private TrainingDataException Wrong(string problem, Exception? innerException = null) => new(file, line, problem, innerException);
}
