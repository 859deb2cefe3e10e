using System.Text.Json;

namespace LoraServe.Cli.Evaluation;

/// <summary>Reads a data set: UTF-8 JSON Lines whose objects have the fields of one <see cref="EvaluationRowKind"/>.</summary>
internal static class EvaluationRows
{
    /// <summary>Reads the rows of a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="limit">Most rows to read.</param>
    /// <param name="renderPrompt">Puts the messages before an answer through the model's chat template.</param>
    /// <exception cref="UsageException">A line is not such a row; names file, line and what is wrong.</exception>
    public static IReadOnlyList<EvaluationRow> Read(string path, int limit, Func<JsonElement[], string> renderPrompt)
    {
        var rows = new List<EvaluationRow>();
        int line = 0;
        foreach (string text in File.ReadLines(path))
        {
            line++;
            if (rows.Count >= limit)
            {
                break;
            }

            if (string.IsNullOrWhiteSpace(text))
            {
                continue;
            }

            try
            {
                using JsonDocument document = JsonDocument.Parse(text);
                rows.Add(ToRow(document.RootElement, line, renderPrompt));
            }
            catch (JsonException exception)
            {
                throw new UsageException($"{path}, line {line}: not JSON ({exception.Message}) Each line must be one JSON object.");
            }
            catch (UsageException exception)
            {
                throw new UsageException($"{path}, line {line}: {exception.Message}");
            }
        }

        return rows.Count > 0 ? rows : throw new UsageException($"{path}: no rows. Each line must be one JSON object.");
    }

    private static EvaluationRow ToRow(JsonElement row, int line, Func<JsonElement[], string> renderPrompt)
    {
        if (row.ValueKind != JsonValueKind.Object)
        {
            throw new UsageException($"a JSON {row.ValueKind}; expected an object.");
        }

        if (row.TryGetProperty("messages", out JsonElement messages))
        {
            return new EvaluationRow(line, EvaluationRowKind.Conversation, AssistantTurns(messages, renderPrompt), null);
        }

        if (row.TryGetProperty("prompt", out _))
        {
            string prompt = Text(row, "prompt");
            if (row.TryGetProperty("completion", out _))
            {
                string completion = Text(row, "completion");
                return new EvaluationRow(line, EvaluationRowKind.Completion, [new EvaluationTurn(prompt, false, completion)], completion.Trim());
            }

            if (row.TryGetProperty("references", out JsonElement references))
            {
                string first = AsText("references[0]", Elements(references, "references")[0]);
                return new EvaluationRow(line, EvaluationRowKind.References, [new EvaluationTurn(prompt, false, $" {first}")], null);
            }

            if (row.TryGetProperty("chosen", out _))
            {
                return new EvaluationRow(line, EvaluationRowKind.Preference, [new EvaluationTurn(prompt, false, Text(row, "chosen"))], null);
            }
        }

        return row.TryGetProperty("text", out _)
            ? new EvaluationRow(line, EvaluationRowKind.Text, [new EvaluationTurn("", false, Text(row, "text"))], null)
            : throw new UsageException("none of the known fields; expected prompt with completion, references or chosen, or messages, or text.");
    }

    private static List<EvaluationTurn> AssistantTurns(JsonElement messages, Func<JsonElement[], string> renderPrompt)
    {
        JsonElement[] all = Elements(messages, "messages");
        var turns = new List<EvaluationTurn>();
        for (int i = 0; i < all.Length; i++)
        {
            if (all[i].ValueKind != JsonValueKind.Object)
            {
                throw new UsageException($"messages[{i}] is a JSON {all[i].ValueKind}; expected an object with role and content.");
            }

            if (Text(all[i], "role") == "assistant")
            {
                turns.Add(new EvaluationTurn(renderPrompt(all[..i]), true, Text(all[i], "content")));
            }
        }

        return turns.Count > 0 ? turns : throw new UsageException("messages has no assistant turn to score.");
    }

    private static JsonElement[] Elements(JsonElement array, string field) =>
        array.ValueKind == JsonValueKind.Array && array.GetArrayLength() > 0
            ? [.. array.EnumerateArray()]
            : throw new UsageException($"\"{field}\" must be an array with at least one element.");

    private static string Text(JsonElement row, string field) =>
        row.TryGetProperty(field, out JsonElement value) ? AsText(field, value) : throw new UsageException($"\"{field}\" is missing.");

    private static string AsText(string field, JsonElement value) =>
        value.ValueKind == JsonValueKind.String ? value.GetString()! : throw new UsageException($"\"{field}\" is a JSON {value.ValueKind}; expected a string.");
}
