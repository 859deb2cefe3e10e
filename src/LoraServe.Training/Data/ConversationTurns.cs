using System.Text.Json;
using System.Text.Json.Nodes;
using LoraServe.Models.Text;
using LoraServe.Templates;
using LoraServe.Tokenization;

namespace LoraServe.Training.Data;

/// <summary>
/// Finds what is learnt of a conversation in what its chat template writes: where the template marks the model's own part, that; else each turn
/// from where the model is asked to its closing token.
/// </summary>
/// <param name="format">The chat templates.</param>
/// <param name="tokenizer">Knows the tokens that close turns.</param>
/// <param name="row">For errors.</param>
/// <param name="conversation">The conversation.</param>
internal sealed class ConversationTurns(ChatFormat format, Tokenizer tokenizer, DataRow row, Conversation conversation)
{
    /// <summary>Most turns of a conversation: the template writes all that comes before each, so that the work grows with their square.</summary>
    private const int MostTurns = 1000;

    private const string Content = "content";
    private const string Calls = "tool_calls";

    /// <summary>Fields of a turn that templates need not write: who it is, what it says, and which call it answers.</summary>
    private static readonly HashSet<string> s_settled = ["role", Content, "tool_call_id"];

    private readonly object[] _messages = [.. conversation.Messages];

    /// <summary>Each learnt part with all that comes before it.</summary>
    /// <exception cref="TemplateException">The template does not take the messages.</exception>
    /// <exception cref="TrainingDataException">The template passes over what the row says, or what it writes cannot be told apart by turns.</exception>
    public IReadOnlyList<DataTurn> Read()
    {
        if (_messages.Length > MostTurns)
        {
            throw row.Wrong($"\"{conversation.Field}\" has {_messages.Length} turns; expected at most {MostTurns}. Divide the conversation into several rows.");
        }

        GiveContent();
        CheckThatAllIsWritten();
        return format.MarksGeneration(conversation.Tools is not null)
            ? Marked()
            : [.. Enumerable.Range(0, _messages.Length).Where(turn => conversation.Learnt[turn]).Select(Turn)];
    }

    private string Ask(int turn) => format.Render(_messages.Take(turn), conversation.Tools, conversation.Variables);

    private RenderedChat Write(int turns) => Write(_messages.Take(turns));

    private RenderedChat Write(IEnumerable<object> messages) => format.Write(messages, conversation.Tools, conversation.Variables);

    /// <summary>Turns that are tool calls alone have no content; a template that would write the word None for it gets an empty one.</summary>
    private void GiveContent()
    {
        var needs = new Dictionary<string, bool>(StringComparer.Ordinal);
        for (int i = 0; i < _messages.Length; i++)
        {
            var message = (JsonElement)_messages[i];
            if (message.TryGetProperty(Content, out JsonElement content) && content.ValueKind == JsonValueKind.Null)
            {
                string form = FormOf(i);
                JsonElement filled = With(message, Content, "");
                if (!needs.TryGetValue(form, out bool needsContent))
                {
                    string nothing = Write([.. _messages.Take(i), filled]).Text;
                    string? written = TryWrite(_messages.Take(i + 1));
                    needs[form] = needsContent = written is null || (written != nothing && WithoutNone(written) == WithoutNone(nothing));
                }

                _messages[i] = needsContent ? filled : _messages[i];
            }
        }
    }

    /// <summary>What a template can tell of a turn but for its words: who speaks after whom, which fields there are, of which kind, and whether something is in them.</summary>
    private string FormOf(int turn)
    {
        string before = turn == 0 ? "" : ((JsonElement)_messages[turn - 1]).GetProperty("role").GetString()!;
        return string.Join('\n', ((JsonElement)_messages[turn]).EnumerateObject().Select(field => field.Name == "role" ? field.Value.GetString()! : $"{field.Name} {field.Value.ValueKind} {IsEmpty(field.Value)}").Append(before));

        static bool IsEmpty(JsonElement value) => value.ValueKind switch
        {
            JsonValueKind.String => value.GetString()!.Length == 0,
            JsonValueKind.Array => value.GetArrayLength() == 0,
            JsonValueKind.Object => value.GetPropertyCount() == 0,
            JsonValueKind.Number => value.GetDouble() == 0,
            _ => false,
        };
    }

    private static string WithoutNone(string text) => text.Replace("None", "", StringComparison.Ordinal);

    /// <summary>Refuses, by name, what the row says and the template passes over: it would be lost without a word.</summary>
    private void CheckThatAllIsWritten()
    {
        // Turns of one form are written by the same parts of the template: the first of them speaks for all, or long conversations would take minutes.
        var forms = new HashSet<string>(StringComparer.Ordinal);
        for (int i = 0; i < _messages.Length; i++)
        {
            var message = (JsonElement)_messages[i];
            if (!forms.Add(FormOf(i)))
            {
                continue;
            }

            bool isTool = !message.GetProperty("role").ValueEquals("assistant") && !message.GetProperty("role").ValueEquals("user") && !message.GetProperty("role").ValueEquals("system");
            foreach (string field in message.EnumerateObject().Select(field => field.Name).Where(field => !s_settled.Contains(field) && !(isTool && field == "name")))
            {
                // What a call says must be there besides what its text says.
                JsonElement spoken = field == Calls && message.TryGetProperty(Content, out JsonElement content) && content.ValueKind == JsonValueKind.Null ? With(message, Content, "") : message;
                if (TryWrite([.. _messages.Take(i), Without(spoken, field)]) is { } without && without == Write([.. _messages.Take(i), spoken]).Text)
                {
                    throw row.Wrong($"\"{conversation.Field}[{i}].{field}\" is not written by the model's chat template, so it would not be learnt. Leave it out, or use a model whose template writes it.");
                }
            }
        }

        string all = conversation.Tools is null && !conversation.Variables.ContainsKey("documents") ? "" : Write(_messages).Text;
        if (conversation.Tools is not null && TryWrite(_messages, conversation.Variables) == all)
        {
            throw row.Wrong("\"tools\" are not written by the model's chat template, so the model would not see them. Leave them out, or use a model whose template writes them.");
        }

        if (conversation.Variables.ContainsKey("documents") && Try(() => format.Write(_messages, conversation.Tools, Without(conversation.Variables, "documents")).Text) == all)
        {
            throw row.Wrong("\"documents\" are not written by the model's chat template, so the model would not see them. Leave them out, or use a model whose template writes them.");
        }
    }

    /// <summary>What the template marks; with turns that are not learnt, each turn's marks are counted.</summary>
    private List<DataTurn> Marked()
    {
        RenderedChat whole = Write(_messages);
        bool[] isLearnt = [.. whole.Generated.Select(_ => true)];
        if (conversation.Learnt.Where((learnt, i) => !learnt && IsAssistant(i)).Any())
        {
            int[] marks = [.. Enumerable.Range(0, _messages.Length + 1).Select(turns => turns == 0 ? 0 : Write(turns).Generated.Length)];
            if (marks[^1] != isLearnt.Length || marks.Zip(marks.Skip(1)).Any(pair => pair.First > pair.Second))
            {
                throw row.Wrong("the chat template's generation marks cannot be told apart by turns, so no turn can be left unlearnt. Make a row for each assistant turn.");
            }

            for (int turn = 0; turn < _messages.Length; turn++)
            {
                Array.Fill(isLearnt, conversation.Learnt[turn], marks[turn], marks[turn + 1] - marks[turn]);
            }
        }

        List<DataTurn> turns = [];
        foreach ((int start, int end) in whole.Generated.Where((span, i) => isLearnt[i] && span.End > span.Start))
        {
            string answer = whole.Text[start..end];
            turns.Add(new DataTurn(whole.Text[..start], true, answer)
            {
                IsClosed = true,
                Words = Enumerable.Range(0, _messages.Length).Where(IsAssistant).Select(ContentOf).FirstOrDefault(words => words.Length > 0 && answer.Contains(words, StringComparison.Ordinal)) ?? "",
            });
        }

        return turns.Count > 0 ? turns : throw row.Wrong("the chat template marks nothing of the conversation as the model's own (generation), so there is nothing to learn.");
    }

    private DataTurn Turn(int turn)
    {
        string asked = Ask(turn);
        string written = Write(turn + 1).Text;
        string words = ContentOf(turn);
        int start = StartOf(turn, asked, written, words);
        if (start < 0)
        {
            // The template writes the conversation otherwise once the answer is there: it is learnt where it is asked for.
            return ((JsonElement)_messages[turn]).TryGetProperty(Calls, out _)
                ? throw row.Wrong($"the chat template writes what comes before {conversation.Field}[{turn}] otherwise once that follows, so that its tool calls cannot be told apart.")
                : new DataTurn(asked, true, words) { Words = words };
        }

        string answer = written[start..];
        string said = answer.Contains(words, StringComparison.Ordinal) ? words : words.Trim();
        bool isSaid = said.Length > 0 && answer.Contains(said, StringComparison.Ordinal);
        int behind = !isSaid ? 0 : HasField(turn, Calls) ? answer.IndexOf(said, StringComparison.Ordinal) + said.Length : answer.LastIndexOf(said, StringComparison.Ordinal) + said.Length;
        string rest = answer[behind..];
        if (AnswerEnd.Closing(tokenizer, rest, hasCalls: !isSaid || HasField(turn, Calls)) is { } closing)
        {
            return new DataTurn(written[..start], true, answer[..(behind + closing.End)]) { IsClosed = true, Words = isSaid ? said : "" };
        }

        return new DataTurn(written[..start], true, string.IsNullOrWhiteSpace(rest) ? answer[..behind] : answer.TrimEnd()) { Words = isSaid ? said : "" };
    }

    /// <summary>Where a turn begins: behind what asks for it, as far as the template writes that before an answer; −1 where it writes what comes before otherwise.</summary>
    private int StartOf(int turn, string asked, string written, string words)
    {
        if (written.StartsWith(asked, StringComparison.Ordinal))
        {
            return asked.Length;
        }

        string before = turn == 0 ? "" : Write(turn).Text;
        if (!written.StartsWith(before, StringComparison.Ordinal))
        {
            return -1;
        }

        int shared = Math.Max(before.Length, asked.AsSpan().CommonPrefixLength(written));
        int said = words.Trim() is { Length: > 0 } text ? written.IndexOf(text, before.Length, StringComparison.Ordinal) : -1;
        return said < 0 ? shared : Math.Min(shared, said);
    }

    private string? TryWrite(IEnumerable<object> messages) => Try(() => Write(messages).Text);

    private string? TryWrite(IEnumerable<object> messages, IReadOnlyDictionary<string, object?> variables) => Try(() => format.Write(messages, null, variables).Text);

    private static string? Try(Func<string> render)
    {
        try
        {
            return render();
        }
        catch (TemplateException)
        {
            return null;
        }
    }

    private bool IsAssistant(int turn) => ((JsonElement)_messages[turn]).GetProperty("role").ValueEquals("assistant");

    private bool HasField(int turn, string field) => ((JsonElement)_messages[turn]).TryGetProperty(field, out _);

    private string ContentOf(int turn) =>
        ((JsonElement)_messages[turn]).TryGetProperty(Content, out JsonElement content) && content.ValueKind == JsonValueKind.String ? content.GetString()! : "";

    private static JsonElement With(JsonElement message, string field, string value)
    {
        JsonObject changed = JsonObject.Create(message)!;
        changed[field] = value;
        return JsonSerializer.SerializeToElement(changed);
    }

    private static JsonElement Without(JsonElement message, string field)
    {
        JsonObject changed = JsonObject.Create(message)!;
        changed.Remove(field);
        return JsonSerializer.SerializeToElement(changed);
    }

    private static Dictionary<string, object?> Without(IReadOnlyDictionary<string, object?> variables, string name) =>
        variables.Where(variable => variable.Key != name).ToDictionary();
}
