using LoraServe.Server.Surfaces.OpenAi.Messages;
using LoraServe.Serving.Requests;

namespace LoraServe.Server.Surfaces.OpenAi.Fields;

/// <summary>What answers of all kinds have in common.</summary>
internal static class AnswerFields
{
    public static IReadOnlyList<AnsweringAdapter> Adapters(IReadOnlyList<ServedAdapter> served) =>
        [.. served.Select(adapter => new AnsweringAdapter(adapter.Name, adapter.Version, adapter.Digest, adapter.Weight, adapter.Task))];

    public static AnswerUsage ToMessage(Usage usage) =>
        new(usage.PromptTokens, usage.CompletionTokens, usage.PromptTokens + usage.CompletionTokens, new PromptTokensDetails(usage.CachedPromptTokens));

    /// <summary>Why an answer ended; null while it has not.</summary>
    /// <param name="reason">The engine's reason.</param>
    /// <param name="endsInCalls">Whether it ends with tool calls.</param>
    public static string? ToMessage(FinishReason reason, bool endsInCalls = false) => reason switch
    {
        FinishReason.Stop when endsInCalls => "tool_calls",
        FinishReason.Stop => "stop",
        FinishReason.Length => "length",
        _ => null,
    };
}
