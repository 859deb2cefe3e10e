using System.Text.Json;
using System.Text.Json.Nodes;

namespace LoraServe.Training.Data;

/// <summary>Reads the conversations of a row, in the forms of OpenAI and of ShareGPT, as chat templates take them.</summary>
/// <param name="fields">The row's.</param>
internal sealed class ConversationReader(RowFields fields)
{
    private const string Role = "role";
    private const string Content = "content";
    private const string Weight = "weight";
    private const string Calls = "tool_calls";

    private static readonly Dictionary<string, string> s_speakers = new(StringComparer.Ordinal)
    {
        ["human"] = "user",
        ["user"] = "user",
        ["gpt"] = "assistant",
        ["assistant"] = "assistant",
        ["chatgpt"] = "assistant",
        ["model"] = "assistant",
        ["system"] = "system",
        ["tool"] = "tool",
        ["observation"] = "tool",
        ["function_response"] = "tool",
        ["function_call"] = "assistant",
    };

    /// <summary>A conversation whose assistant turns are learnt, but for those whose weight is 0.</summary>
    public Conversation Read(string field) => Conversation(field, Turns(field, fields.Items(field)), learntFrom: 0);

    /// <summary>A conversation in two parts, of which the second is learnt.</summary>
    public Conversation Read(string prompt, string answer) => Join(Context(prompt), answer, Answers(answer));

    /// <summary>Turns that come before what is learnt; a text is a user's.</summary>
    public IReadOnlyList<JsonElement> Context(string field)
    {
        JsonElement value = fields.Find(field) ?? throw fields.Wrong($"\"{field}\" is missing; expected messages.");
        return value.ValueKind == JsonValueKind.String ? [Turn("user", value.GetString()!)] : [.. Turns(field, fields.Items(field, value)).Select(turn => turn.Message)];
    }

    /// <summary>What a user asks.</summary>
    public static IReadOnlyList<JsonElement> OfPrompt(string prompt) => [Turn("user", prompt)];

    /// <summary>Turns that are learnt: several, one, or a text, which is an assistant's.</summary>
    public IReadOnlyList<(JsonElement Message, bool IsLearnt)> Answers(string field)
    {
        JsonElement value = fields.Find(field) ?? throw fields.Wrong($"\"{field}\" is missing; expected messages.");
        return value.ValueKind switch
        {
            JsonValueKind.String => [(Turn("assistant", fields.NotEmpty(field, value.GetString()!)), true)],
            JsonValueKind.Object => Turns(field, [value]),
            _ => Turns(field, fields.Items(field, value)),
        };
    }

    /// <summary>Turns that come before, and turns that are learnt.</summary>
    public Conversation Join(IReadOnlyList<JsonElement> context, string field, IEnumerable<(JsonElement Message, bool IsLearnt)> answers) =>
        Conversation(field, [.. context.Select(message => (message, false)), .. answers], context.Count);

    /// <summary>Turns that a form without messages writes as texts.</summary>
    public Conversation OfTexts(string field, IEnumerable<(string Role, string Content)> turns) =>
        Conversation(field, [.. turns.Select(turn => (Turn(turn.Role, turn.Content), turn.Role == "assistant"))], learntFrom: 0);

    /// <summary>The turns of a list, and whether each is learnt.</summary>
    public List<(JsonElement Message, bool IsLearnt)> Turns(string field, JsonElement[] items)
    {
        List<(JsonElement, bool)> turns = [];
        for (int i = 0; i < items.Length; i++)
        {
            string place = $"{field}[{i}]";
            if (items[i].ValueKind != JsonValueKind.Object)
            {
                throw fields.Wrong($"{place} is a JSON {items[i].ValueKind}; expected an object with role and content.");
            }

            CheckTexts(items[i]);
            turns.Add(Normal(place, items[i].TryGetProperty("from", out _) ? FromShareGpt(place, items[i]) : items[i]));
        }

        return turns;
    }

    private static JsonElement Turn(string role, string content) => JsonSerializer.SerializeToElement(new Dictionary<string, string> { [Role] = role, [Content] = content });

    private Conversation Conversation(string field, IReadOnlyList<(JsonElement Message, bool IsLearnt)> turns, int learntFrom)
    {
        if (!turns.Skip(learntFrom).Any(turn => turn.Message.GetProperty(Role).ValueEquals("assistant")))
        {
            throw fields.Wrong($"{field} has no assistant turn to learn or to score.");
        }

        List<JsonElement> messages = [.. turns.Select(turn => turn.Message)];
        List<bool> learnt = [.. turns.Select((turn, i) => turn.IsLearnt && i >= learntFrom)];
        if (fields.FindText("system") is { Length: > 0 } system)
        {
            if (messages[0].GetProperty(Role).ValueEquals("system"))
            {
                throw fields.Wrong($"\"system\" stands beside a system message in {field}. Leave one of them out.");
            }

            messages.Insert(0, Turn("system", system));
            learnt.Insert(0, false);
        }

        return new Conversation(messages, learnt) { Field = field, Tools = List("tools"), Variables = Variables() };
    }

    private Dictionary<string, object?> Variables()
    {
        Dictionary<string, object?> variables = [];
        if (fields.Find("chat_template_kwargs") is { } given)
        {
            if (given.ValueKind != JsonValueKind.Object)
            {
                throw fields.Wrong($"\"chat_template_kwargs\" is a JSON {given.ValueKind}; expected an object with variables of the chat template.");
            }

            CheckTexts(given);
            foreach (JsonProperty variable in given.EnumerateObject())
            {
                variables[variable.Name] = variable.Value.Clone();
            }
        }

        if (List("documents") is { } documents)
        {
            variables["documents"] = documents;
        }

        return variables;
    }

    private JsonElement? List(string field) => fields.Find(field) is { } value ? List(field, value) : null;

    /// <summary>A list of objects, or the JSON text of one; null where it is null or empty.</summary>
    public JsonElement? List(string field, JsonElement value)
    {
        if (value.ValueKind == JsonValueKind.Null || value.ValueKind == JsonValueKind.String && value.GetString()!.Length == 0)
        {
            return null;
        }

        if (value.ValueKind == JsonValueKind.String)
        {
            value = Parsed(field, value.GetString()!);
        }

        if (value.ValueKind != JsonValueKind.Array || value.EnumerateArray().Any(item => item.ValueKind != JsonValueKind.Object))
        {
            throw fields.Wrong($"\"{field}\" is {(value.ValueKind == JsonValueKind.Array ? "an array of other things" : $"a JSON {value.ValueKind}")}; expected an array of objects, or the JSON text of one.");
        }

        CheckTexts(value);
        return value.GetArrayLength() == 0 ? null : value.Clone();
    }

    private JsonElement Parsed(string field, string json)
    {
        try
        {
            return JsonElement.Parse(json);
        }
        catch (JsonException exception)
        {
            throw fields.Wrong($"\"{field}\" is a text that is not JSON ({exception.Message}); expected JSON.");
        }
    }

    /// <summary>A turn by the names that chat templates know.</summary>
    private JsonElement FromShareGpt(string place, JsonElement turn)
    {
        string speaker = fields.AsText($"{place}.from", turn.GetProperty("from"));
        if (!s_speakers.TryGetValue(speaker, out string? role))
        {
            throw fields.Wrong($"\"{place}.from\" is \"{speaker}\"; expected {string.Join(", ", s_speakers.Keys)}.");
        }

        JsonObject message = [];
        message[Role] = role;
        foreach (JsonProperty field in turn.EnumerateObject().Where(field => field.Name != "from"))
        {
            message[field.Name == "value" ? Content : field.Name] = Node(field.Value);
        }

        if (speaker == "function_call")
        {
            JsonElement call = Parsed($"{place}.value", fields.AsText($"{place}.value", turn.GetProperty("value")));
            JsonElement[] calls = call.ValueKind == JsonValueKind.Array ? [.. call.EnumerateArray()] : [call];
            message[Content] = null;
            message[Calls] = new JsonArray([.. calls.Select(one => (JsonNode)new JsonObject { ["type"] = "function", ["function"] = Node(one) })]);
        }

        return JsonSerializer.SerializeToElement(message);
    }

    private static JsonNode? Node(JsonElement value) => JsonSerializer.SerializeToNode(value);

    /// <summary>A turn without what says nothing: fields that are null, as tables have them, and its weight, which is for the trainer.</summary>
    private (JsonElement Message, bool IsLearnt) Normal(string place, JsonElement turn)
    {
        string role = turn.TryGetProperty(Role, out JsonElement named) ? fields.AsText($"{place}.{Role}", named) : throw fields.Wrong($"\"{place}.{Role}\" is missing; expected a string.");
        bool isAssistant = role == "assistant";
        bool hasCalls = turn.TryGetProperty(Calls, out JsonElement calls) && calls.ValueKind == JsonValueKind.Array && calls.GetArrayLength() > 0;
        string? content = ContentOf(place, turn, mayBeMissing: isAssistant && hasCalls);
        if (isAssistant && !hasCalls)
        {
            fields.NotEmpty($"{place}.{Content}", content ?? "");
        }

        bool isLearnt = WeightOf(place, turn, isAssistant) && isAssistant;

        JsonObject message = [];
        foreach (JsonProperty field in turn.EnumerateObject())
        {
            if (field.Name == Content)
            {
                message[Content] = content;
            }
            else if (field.Name != Weight && field.Value.ValueKind != JsonValueKind.Null && (field.Name != Calls || hasCalls))
            {
                message[field.Name] = Node(field.Value);
            }
        }

        return (JsonSerializer.SerializeToElement(message), isLearnt);
    }

    /// <summary>The text of a turn, which may be written in parts.</summary>
    private string? ContentOf(string place, JsonElement turn, bool mayBeMissing)
    {
        string name = $"{place}.{Content}";
        if (!turn.TryGetProperty(Content, out JsonElement content))
        {
            return mayBeMissing ? null : throw fields.Wrong($"\"{name}\" is missing; expected a string.");
        }

        if (content.ValueKind == JsonValueKind.Null && mayBeMissing)
        {
            return null;
        }

        if (content.ValueKind == JsonValueKind.Array && content.GetArrayLength() > 0
            && content.EnumerateArray().All(part => part.ValueKind == JsonValueKind.Object && part.TryGetProperty("type", out JsonElement type) && type.ValueKind == JsonValueKind.String))
        {
            return string.Join('\n', content.EnumerateArray().Select(part => part.GetProperty("type").ValueEquals("text") && part.TryGetProperty("text", out JsonElement text)
                ? fields.AsText($"{name}.text", text)
                : throw fields.Wrong($"\"{name}\" has a part of type {part.GetProperty("type").GetString()}; models here read text alone.")));
        }

        return fields.AsText(name, content);
    }

    private bool WeightOf(string place, JsonElement turn, bool isAssistant)
    {
        if (!turn.TryGetProperty(Weight, out JsonElement weight) || weight.ValueKind == JsonValueKind.Null)
        {
            return true;
        }

        bool? learns = weight.ValueKind == JsonValueKind.Number && weight.TryGetDouble(out double number) ? number switch { 0 => false, 1 => true, _ => null } : null;
        return learns is not { } isLearnt ? throw fields.Wrong($"\"{place}.{Weight}\" is {weight.GetRawText()}; expected 0 (not learnt) or 1.")
            : isLearnt && !isAssistant ? throw fields.Wrong($"\"{place}.{Weight}\" is 1, but only an assistant's turns are learnt. Leave it out.")
            : isLearnt;
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
}
