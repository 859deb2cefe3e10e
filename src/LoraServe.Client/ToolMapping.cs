using System.Text.Json;
using System.Text.Json.Nodes;
using Google.Protobuf.WellKnownTypes;
using LoraServe.V1;
using Microsoft.Extensions.AI;
using AiMessage = Microsoft.Extensions.AI.ChatMessage;

namespace LoraServe.Client;

/// <summary>Tools, their calls and their results, as Microsoft.Extensions.AI and as the messages have them.</summary>
internal static class ToolMapping
{
    private static readonly JsonSerializerOptions s_compact = new(AIJsonUtilities.DefaultOptions) { WriteIndented = false };

    /// <summary>A tool, in the form that chat templates read.</summary>
    /// <exception cref="NotSupportedException">It is no function.</exception>
    public static Struct ToMessage(AITool tool) => tool is AIFunctionDeclaration function
        ? Struct.Parser.ParseJson(new JsonObject
        {
            ["type"] = "function",
            ["function"] = new JsonObject
            {
                ["name"] = function.Name,
                ["description"] = function.Description,
                ["parameters"] = JsonNode.Parse(function.JsonSchema.GetRawText()),
            },
        }.ToJsonString())
        : throw new NotSupportedException($"The tool '{tool.Name}' is a {tool.GetType().Name}; LoraServe's models call functions (AIFunctionDeclaration) alone.");

    /// <summary>Whether tools are to be called.</summary>
    public static string ToChoice(ChatToolMode? mode) => mode switch
    {
        NoneChatToolMode => "none",
        RequiredChatToolMode required => required.RequiredFunctionName ?? "required",
        _ => "",
    };

    /// <summary>A message; several where it has the results of several calls.</summary>
    public static IEnumerable<V1.ChatMessage> ToMessages(AiMessage message)
    {
        FunctionResultContent[] results = [.. message.Contents.OfType<FunctionResultContent>()];
        FunctionCallContent[] calls = [.. message.Contents.OfType<FunctionCallContent>()];
        if (results.Length == 0 || calls.Length > 0 || message.Text.Length > 0)
        {
            var said = new V1.ChatMessage { Role = message.Role.Value, Content = message.Text };
            said.ToolCalls.AddRange(calls.Select(call => new ToolCall { Id = call.CallId, Name = call.Name, ArgumentsJson = Json(call.Arguments ?? new Dictionary<string, object?>()) }));
            yield return said;
        }

        foreach (FunctionResultContent result in results)
        {
            yield return new V1.ChatMessage { Role = ChatRole.Tool.Value, Content = result.Result as string ?? Json(result.Result), ToolCallId = result.CallId };
        }
    }

    /// <summary>A call; what is wrong with its arguments is in it, too.</summary>
    public static FunctionCallContent ToContent(ToolCall call) => FunctionCallContent.CreateFromParsedArguments(
        call.ArgumentsJson, call.Id, call.Name, json => JsonSerializer.Deserialize<Dictionary<string, object?>>(json, AIJsonUtilities.DefaultOptions));

    private static string Json(object? value) => JsonSerializer.Serialize(value, s_compact);
}
