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
    public static string? ToMessage(FinishReason reason) => reason switch
    {
        FinishReason.Stop => "stop",
        FinishReason.Length => "length",
        _ => null,
    };
}
