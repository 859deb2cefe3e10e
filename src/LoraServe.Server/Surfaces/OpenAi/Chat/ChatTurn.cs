using System.Text.Json;
using LoraServe.Models.Text;
using LoraServe.Server.Surfaces.Http;
using LoraServe.Server.Surfaces.OpenAi.Fields;
using LoraServe.Server.Surfaces.OpenAi.Messages;

namespace LoraServe.Server.Surfaces.OpenAi.Chat;

/// <summary>A turn as templates read it.</summary>
internal static class ChatTurn
{
    private const string System = "system";

    /// <param name="turn">The turn.</param>
    /// <param name="at">Where it stands in the request.</param>
    /// <param name="format">The chat format; null where there is none.</param>
    public static Dictionary<string, object?> Fields(ChatMessage turn, string at, ChatFormat? format)
    {
        string role = turn.Role ?? throw FieldReading.Missing($"{at}.role");
        if (FieldReading.IsSent(turn.Audio))
        {
            throw FieldReading.Unsupported($"{at}.audio", "The model reads text only.");
        }

        if (FieldReading.IsSent(turn.FunctionCall))
        {
            throw FieldReading.Unsupported($"{at}.function_call", "Send tool_calls.");
        }

        // OpenAI's newer models call their system a developer; most templates have never heard of one.
        var fields = new Dictionary<string, object?> { ["role"] = role == "developer" && format?.Roles.Contains(role) == false ? System : role, ["content"] = Content(turn, at) };
        Add(fields, "name", turn.Name);
        Add(fields, "tool_call_id", turn.ToolCallId);
        Add(fields, "reasoning_content", turn.ReasoningContent);
        if (turn.ToolCalls is { Count: > 0 } calls)
        {
            foreach ((int i, JsonElement call) in calls.Index())
            {
                CheckCall(call, $"{at}.tool_calls[{i}]");
            }

            fields["tool_calls"] = JsonSerializer.SerializeToElement(calls, OpenAiJson.Instance.IReadOnlyListJsonElement);
        }

        return fields;
    }

    private static string Content(ChatMessage turn, string at)
    {
        JsonElement content = turn.Content;
        return content.ValueKind switch
        {
            JsonValueKind.String => content.GetString()!,
            JsonValueKind.Array => string.Join('\n', content.EnumerateArray().Select((part, i) => Text(part, $"{at}.content[{i}]"))),

            // An assistant that called tools has said nothing beside, or has refused.
            JsonValueKind.Undefined or JsonValueKind.Null => turn.ToolCalls is { Count: > 0 } ? "" : turn.Refusal ?? throw FieldReading.Missing($"{at}.content"),
            _ => throw FieldReading.Invalid($"{at}.content", "a string or an array of parts", content),
        };
    }

    private static string Text(JsonElement part, string at)
    {
        if (part.ValueKind != JsonValueKind.Object)
        {
            throw FieldReading.Invalid(at, "an object", part);
        }

        string? type = part.TryGetProperty("type", out JsonElement named) && named.ValueKind == JsonValueKind.String ? named.GetString() : null;
        if (type is not ("text" or "refusal"))
        {
            throw JsonMessage.Refusal($"{at}.type is {(type is null ? "missing" : $"'{type}'")}; the model reads 'text' only.", $"{at}.type");
        }

        return part.TryGetProperty(type, out JsonElement text) && text.ValueKind == JsonValueKind.String ? text.GetString()! : throw FieldReading.Missing($"{at}.{type}");
    }

    private static void CheckCall(JsonElement call, string at)
    {
        if (call.ValueKind != JsonValueKind.Object || !call.TryGetProperty("function", out JsonElement function) || function.ValueKind != JsonValueKind.Object
            || !function.TryGetProperty("name", out JsonElement name) || name.ValueKind != JsonValueKind.String)
        {
            throw JsonMessage.Refusal($"{at} has no function with a name; expected an object with id, type, and function with name and arguments.", at);
        }
    }

    private static void Add(Dictionary<string, object?> fields, string name, string? value)
    {
        if (value is not null)
        {
            fields[name] = value;
        }
    }
}
