using System.Text.Json;
using LoraServe.Models.Text;
using LoraServe.Serving.Requests;

namespace LoraServe.Server.Surfaces;

/// <summary>A conversation as the model's template writes it.</summary>
internal static class ChatPrompt
{
    /// <param name="messages">For each message what its template may read, <c>role</c> at least.</param>
    /// <param name="tools">Tools as the template expects them.</param>
    /// <param name="variables">Further variables of the template; null for none.</param>
    /// <param name="chat">The model's format; null where it has none.</param>
    /// <exception cref="EngineException">There is no format, or a message has a role that the model does not know.</exception>
    public static string Render(IReadOnlyList<IReadOnlyDictionary<string, object?>> messages, IReadOnlyList<JsonElement> tools, IReadOnlyDictionary<string, object?>? variables, ChatFormat? chat)
    {
        if (chat is null)
        {
            throw new EngineException(EngineError.Unsupported, "The model has no chat template. Use Generate with a prompt instead.");
        }

        for (int i = 0; i < messages.Count; i++)
        {
            if (messages[i]["role"] is not string role || !chat.Roles.Contains(role))
            {
                throw new EngineException(EngineError.InvalidRequest, $"messages[{i}].role is '{messages[i]["role"]}'; expected {string.Join(", ", chat.Roles)}.");
            }
        }

        return chat.Render(ChatMessageCalls.WithToolNames(messages), tools.Count == 0 ? null : tools, variables);
    }
}
