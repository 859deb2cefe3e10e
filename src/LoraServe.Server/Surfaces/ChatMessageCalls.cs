using System.Text.Json;
using System.Text.Json.Nodes;
using LoraServe.Models.Text.ToolCalls;
using LoraServe.Serving.Requests;

namespace LoraServe.Server.Surfaces;

/// <summary>Tool calls in the messages of a conversation, as templates read them.</summary>
internal static class ChatMessageCalls
{
    private const string CallsField = "tool_calls";
    private const string CallIdField = "tool_call_id";
    private const string NameField = "name";

    /// <summary>The calls of a message.</summary>
    /// <param name="calls">The calls.</param>
    /// <param name="message">Which of the messages, for a refusal.</param>
    /// <exception cref="EngineException">A call has no name, or arguments that are no JSON object.</exception>
    public static JsonElement ToJson(IReadOnlyList<ToolCall> calls, int message) =>
        JsonSerializer.SerializeToElement(new JsonArray([.. calls.Select((call, index) => ToJson(call, $"messages[{message}].tool_calls[{index}]"))]));

    /// <summary>The messages, with the name of the tool in each that says only whose call's result it has.</summary>
    public static IReadOnlyList<IReadOnlyDictionary<string, object?>> WithToolNames(IReadOnlyList<IReadOnlyDictionary<string, object?>> messages)
    {
        var names = new Dictionary<string, string>(StringComparer.Ordinal);
        return [.. messages.Select(message =>
        {
            foreach ((string id, string name) in CallsOf(message))
            {
                names[id] = name;
            }

            return message.GetValueOrDefault(NameField) is null && Text(message.GetValueOrDefault(CallIdField)) is { } called && names.TryGetValue(called, out string? tool)
                ? new Dictionary<string, object?>(message) { [NameField] = tool }
                : message;
        })];
    }

    private static JsonObject ToJson(ToolCall call, string field)
    {
        if (call.Name.Length == 0)
        {
            throw new EngineException(EngineError.InvalidRequest, $"{field}.name is empty; expected the name of a tool.");
        }

        string arguments = call.Arguments.Length == 0 ? "{}" : call.Arguments;
        return IsObject(arguments)
            ? new JsonObject
            {
                ["id"] = call.Id,
                ["type"] = "function",
                ["function"] = new JsonObject { ["name"] = call.Name, ["arguments"] = arguments },
            }
            : throw new EngineException(EngineError.InvalidRequest, $"{field}.arguments_json is not the JSON text of an object; expected one, such as {{\"x\": 1}}.");
    }

    private static bool IsObject(string json)
    {
        try
        {
            return JsonElement.Parse(json).ValueKind == JsonValueKind.Object;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static IEnumerable<(string Id, string Name)> CallsOf(IReadOnlyDictionary<string, object?> message) =>
        message.GetValueOrDefault(CallsField) is JsonElement { ValueKind: JsonValueKind.Array } calls
            ? from call in calls.EnumerateArray()
              let id = Text(JsonText.Member(call, "id"))
              let name = Text(JsonText.Member(JsonText.Member(call, "function") is { ValueKind: JsonValueKind.Object } inner ? inner : call, NameField))
              where id is not null && name is not null
              select (id, name)
            : [];

    private static string? Text(object? value) => value switch
    {
        string text => text,
        JsonElement json => JsonText.Of(json),
        _ => null,
    };
}
