using System.Text.Json;

namespace LoraServe.Training.Data;

/// <summary>Reads two answers of which one is preferred: texts or messages, with what comes before them, or with it in both.</summary>
/// <param name="fields">The row's.</param>
/// <param name="conversations">Reads messages.</param>
internal sealed class PreferenceReader(RowFields fields, ConversationReader conversations)
{
    private const string Chosen = "chosen";
    private const string Rejected = "rejected";

    public DataRow Read()
    {
        if (fields.Says("preferred_output"))
        {
            return OfOpenAi();
        }

        IReadOnlyList<JsonElement>? context = fields.Says("conversations") ? conversations.Context("conversations")
            : fields.Says("instruction") ? ConversationReader.OfPrompt(AlpacaReader.Prompt(fields))
            : null;
        if (context is not null)
        {
            return Row(context, conversations.Answers(Chosen), conversations.Answers(Rejected));
        }

        return fields.IsArray(Chosen) || fields.IsArray("prompt") ? OfMessages() : OfTexts();
    }

    private DataRow OfTexts()
    {
        DataRow row = fields.Row(DataRowKind.Preference, RowFormat.Preference);
        (string chosen, string rejected) = (fields.Answer(Chosen), fields.Answer(Rejected));
        if (fields.Says("prompt"))
        {
            return row with { Prompt = fields.Text("prompt"), Answer = chosen, Rejected = rejected };
        }

        // TRL's rule: what both begin with is the prompt, but for a space at its end; each keeps a letter at least.
        int shared = Math.Min(chosen.AsSpan().CommonPrefixLength(rejected), Math.Min(chosen.Length, rejected.Length) - 1);
        shared -= shared > 0 && (chosen[shared - 1] == ' ' || char.IsHighSurrogate(chosen[shared - 1])) ? 1 : 0;
        return row with { Prompt = chosen[..shared], Answer = chosen[shared..], Rejected = rejected[shared..] };
    }

    private DataRow OfMessages()
    {
        List<(JsonElement Message, bool IsLearnt)> chosen = [.. conversations.Answers(Chosen)];
        List<(JsonElement Message, bool IsLearnt)> rejected = [.. conversations.Answers(Rejected)];
        IReadOnlyList<JsonElement> context = fields.Says("prompt") ? conversations.Context("prompt") : [];

        // Where answers are whole conversations, what both begin with is the prompt; a prompt that stands apart as well says the same.
        int shared = chosen.Zip(rejected).TakeWhile(pair => JsonElement.DeepEquals(pair.First.Message, pair.Second.Message)).Count();
        shared = Math.Min(shared, Math.Min(chosen.Count, rejected.Count) - 1);
        if (shared >= context.Count && context.Select((message, i) => JsonElement.DeepEquals(message, chosen[i].Message)).All(same => same))
        {
            return Row([.. chosen.Take(shared).Select(turn => turn.Message)], chosen.Skip(shared), rejected.Skip(shared));
        }

        return Row(context, chosen, rejected);
    }

    /// <summary>The form of OpenAI's preference fine-tuning.</summary>
    private DataRow OfOpenAi()
    {
        JsonElement input = fields.Find("input") ?? throw fields.Wrong("\"input\" is missing; expected an object with messages.");
        if (input.ValueKind != JsonValueKind.Object || !input.TryGetProperty("messages", out JsonElement messages))
        {
            throw fields.Wrong("\"input\" has no messages; expected an object with messages.");
        }

        foreach (JsonProperty other in input.EnumerateObject().Where(field => field.Name is not ("messages" or "tools" or "parallel_tool_calls")))
        {
            throw fields.Wrong($"\"input.{other.Name}\" would not be read; expected messages and tools.");
        }

        IReadOnlyList<JsonElement> context = [.. conversations.Turns("input.messages", fields.Items("input.messages", messages)).Select(turn => turn.Message)];
        JsonElement? tools = input.TryGetProperty("tools", out JsonElement listed) ? conversations.List("input.tools", listed) : null;
        DataRow row = Row(context, conversations.Answers("preferred_output"), conversations.Answers("non_preferred_output"));
        return row with { Conversation = row.Conversation! with { Tools = tools }, RejectedConversation = row.RejectedConversation! with { Tools = tools } };
    }

    private DataRow Row(IReadOnlyList<JsonElement> context, IEnumerable<(JsonElement, bool)> chosen, IEnumerable<(JsonElement, bool)> rejected) =>
        fields.Row(DataRowKind.Preference, RowFormat.Preference) with
        {
            Conversation = conversations.Join(context, Chosen, chosen),
            RejectedConversation = conversations.Join(context, Rejected, rejected),
        };
}
