using System.Text.Json;
using LoraServe.Models.Text;
using LoraServe.Server.Surfaces.Http;
using LoraServe.Server.Surfaces.OpenAi.Fields;
using LoraServe.Server.Surfaces.OpenAi.Messages;

namespace LoraServe.Server.Surfaces.OpenAi.Chat;

/// <summary>The tools that a conversation offers.</summary>
internal static class ChatTools
{
    private const string ChoiceField = "tool_choice";

    /// <summary>How they are used.</summary>
    /// <param name="message">The conversation.</param>
    /// <param name="format">The chat format; null where there is none.</param>
    public static ToolUse Of(ChatRequest message, ChatFormat? format)
    {
        IReadOnlyList<JsonElement> tools = message.Tools ?? [];
        if (tools.Count > ToolUse.MaxTools)
        {
            throw JsonMessage.Refusal($"tools has {tools.Count} tools; a request can have {ToolUse.MaxTools}.", "tools");
        }

        for (int i = 0; i < tools.Count; i++)
        {
            CheckIsFunction(tools[i], $"tools[{i}]");
        }

        return ToolUse.Of(tools, Choice(message.ToolChoice), format, message.ParallelToolCalls ?? true);
    }

    /// <summary>The choice as the name that it goes by.</summary>
    private static string Choice(JsonElement choice)
    {
        if (choice.ValueKind == JsonValueKind.Object)
        {
            CheckIsFunction(choice, ChoiceField);
            return choice.GetProperty("function").GetProperty("name").GetString()!;
        }

        string? word = choice.ValueKind == JsonValueKind.String ? choice.GetString() : null;
        return !FieldReading.IsSent(choice) ? ToolUse.Auto
            : word is ToolUse.Auto or ToolUse.None or ToolUse.Required ? word
            : word is null ? throw FieldReading.Invalid(ChoiceField, "a string or an object", choice)
            : throw JsonMessage.Refusal($"{ChoiceField} is '{FieldReading.Shown(word)}'; expected 'none', 'auto', 'required' or an object that names a function.", ChoiceField);
    }

    private static void CheckIsFunction(JsonElement tool, string at)
    {
        if (tool.ValueKind != JsonValueKind.Object)
        {
            throw FieldReading.Invalid(at, "an object", tool);
        }

        if (!tool.TryGetProperty("type", out JsonElement type) || type.ValueKind != JsonValueKind.String || !type.ValueEquals(CallMessage.FunctionType))
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
