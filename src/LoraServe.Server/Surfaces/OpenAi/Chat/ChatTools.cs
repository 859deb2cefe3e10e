using System.Text.Json;
using LoraServe.Server.Surfaces.Http;
using LoraServe.Server.Surfaces.OpenAi.Fields;
using LoraServe.Server.Surfaces.OpenAi.Messages;

namespace LoraServe.Server.Surfaces.OpenAi.Chat;

/// <summary>The tools that a conversation offers.</summary>
internal static class ChatTools
{
    private const int MaxTools = 128;

    /// <summary>Those that the model is told of: none where it may not call any.</summary>
    public static IReadOnlyList<JsonElement> Offered(ChatRequest message)
    {
        IReadOnlyList<JsonElement> tools = message.Tools ?? [];
        if (tools.Count > MaxTools)
        {
            throw JsonMessage.Refusal($"tools has {tools.Count} tools; a request can have {MaxTools}.", "tools");
        }

        for (int i = 0; i < tools.Count; i++)
        {
            Check(tools[i], $"tools[{i}]");
        }

        JsonElement choice = message.ToolChoice;
        if (!FieldReading.IsSent(choice))
        {
            return tools;
        }

        return (choice.ValueKind == JsonValueKind.String ? choice.GetString() : null) switch
        {
            "auto" => tools,
            "none" => [],
            _ => throw FieldReading.Unsupported("tool_choice", "It can be \"auto\" or \"none\"; a call cannot be forced."),
        };
    }

    private static void Check(JsonElement tool, string at)
    {
        if (tool.ValueKind != JsonValueKind.Object)
        {
            throw FieldReading.Invalid(at, "an object", tool);
        }

        if (!tool.TryGetProperty("type", out JsonElement type) || type.ValueKind != JsonValueKind.String || !type.ValueEquals("function"))
        {
            throw JsonMessage.Refusal($"{at}.type is missing or another than 'function', which is all that a tool can be.", $"{at}.type");
        }

        if (!tool.TryGetProperty("function", out JsonElement function) || function.ValueKind != JsonValueKind.Object
            || !function.TryGetProperty("name", out JsonElement name) || name.ValueKind != JsonValueKind.String)
        {
            throw JsonMessage.Refusal($"{at}.function has no name; expected an object with name, description and parameters.", $"{at}.function");
        }
    }
}
