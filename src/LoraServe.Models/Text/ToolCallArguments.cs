using System.Runtime.CompilerServices;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace LoraServe.Models.Text;

/// <summary>The arguments of an assistant's tool calls, which files and callers write as an object or as the JSON text of one.</summary>
internal static class ToolCallArguments
{
    private const string Calls = "tool_calls";
    private const string Function = "function";
    private const string Arguments = "arguments";

    /// <summary>What was made of messages that never change: a conversation is written once for each of its turns, of the same messages.</summary>
    private static readonly ConditionalWeakTable<object, object> s_asObjects = [];

    private static readonly JsonDocumentOptions s_strict = new() { AllowDuplicateProperties = false };

    private static readonly JsonSerializerOptions s_plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Whether a message has tool calls.</summary>
    public static bool Any(IEnumerable<object> messages) => messages.Any(message => Find(message) is not null);

    /// <summary>The messages with arguments as objects, where their text is one.</summary>
    public static object[] AsObjects(IEnumerable<object> messages) => [.. messages.Select(message => message is JsonElement ? s_asObjects.GetValue(message, AsObject) : AsObject(message))];

    /// <summary>The messages with arguments as JSON text.</summary>
    public static object[] AsText(IEnumerable<object> messages) =>
        [.. messages.Select(message => Map(message, arguments => arguments is JsonObject ? JsonValue.Create(arguments.ToJsonString(s_plain)) : arguments))];

    private static object AsObject(object message) => Map(message, arguments => arguments is JsonValue text && text.TryGetValue(out string? json) ? Parsed(json) : arguments);

    private static object Map(object message, Func<JsonNode?, JsonNode?> change) => Find(message) is { } calls ? WithCalls(message, Changed(calls, change)) : message;

    private static JsonElement? Find(object message) => message switch
    {
        JsonElement { ValueKind: JsonValueKind.Object } json when json.TryGetProperty(Calls, out JsonElement calls) => calls,
        IReadOnlyDictionary<string, object?> fields when fields.GetValueOrDefault(Calls) is JsonElement calls => calls,
        _ => null,
    };

    private static Dictionary<string, object?> WithCalls(object message, JsonElement calls)
    {
        Dictionary<string, object?> fields = message is JsonElement json
            ? json.EnumerateObject().ToDictionary(field => field.Name, object? (field) => field.Value)
            : new Dictionary<string, object?>((IReadOnlyDictionary<string, object?>)message);
        fields[Calls] = calls;
        return fields;
    }

    private static JsonElement Changed(JsonElement calls, Func<JsonNode?, JsonNode?> change)
    {
        if (calls.ValueKind != JsonValueKind.Array)
        {
            return calls;
        }

        JsonArray all = JsonArray.Create(calls)!;
        foreach (JsonObject call in all.OfType<JsonObject>())
        {
            // Some write the function's fields into the call itself.
            JsonObject holder = call[Function] as JsonObject ?? call;
            if (holder[Arguments] is { } arguments && change(arguments) is { } changed && changed != arguments)
            {
                holder[Arguments] = changed;
            }
        }

        return JsonSerializer.SerializeToElement(all);
    }

    private static JsonObject? Parsed(string json)
    {
        try
        {
            var parsed = JsonNode.Parse(json, documentOptions: s_strict) as JsonObject;
            _ = parsed?.ToJsonString(); // a node looks at names and texts only when it is asked for them; writing it asks for all
            return parsed;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            // No JSON, or with half of a surrogate pair: a text like any other.
            return null;
        }
    }
}
