using LoraServe.Models.Text;
using LoraServe.Server.Surfaces.Http;
using LoraServe.Server.Surfaces.OpenAi.Fields;
using LoraServe.Server.Surfaces.OpenAi.Messages;
using LoraServe.Serving.Requests;

namespace LoraServe.Server.Surfaces.OpenAi.Chat;

/// <summary>A conversation as the engine's request.</summary>
internal static class ChatMapping
{
    private const int MaxTopLogprobs = 20;

    /// <param name="message">The message.</param>
    /// <param name="adapters">What answers.</param>
    /// <param name="format">Its chat format; null where there is none.</param>
    /// <param name="tools">The tools that it may call.</param>
    /// <param name="caller">Who asks.</param>
    /// <param name="requestId">The request's id.</param>
    public static GenerationRequest ToDomain(ChatRequest message, IReadOnlyList<AdapterReference> adapters, ChatFormat? format, ToolUse tools, Principal caller, string requestId)
    {
        if (message.Messages is not { Count: > 0 } turns)
        {
            throw message.Messages is null ? FieldReading.Missing("messages") : new EngineException(EngineError.EmptyPrompt, "messages is an empty array; give at least one.") { Field = "messages" };
        }

        if (message.Modalities?.FirstOrDefault(modality => modality != "text") is { } other)
        {
            throw FieldReading.Unsupported("modalities", $"It has '{other}'; the model writes text only.");
        }

        IReadOnlyDictionary<string, object?>? variables = message.ChatTemplateKwargs?.ToDictionary(variable => variable.Key, object? (variable) => variable.Value);
        return new GenerationRequest
        {
            Adapters = adapters,
            Prompt = ChatPrompt.Render([.. turns.Select((turn, i) => ChatTurn.Fields(turn, $"messages[{i}]", format))], tools.Shown, variables, format),
            AddSpecialTokens = false,
            Sampling = SamplingMapping.ToDomain(message, MaxTokens(message), Logprobs(message)),
            RequestId = requestId,
            Principal = caller,
        };
    }

    // Without a bound an answer goes on up to the context.
    private static int MaxTokens(ChatRequest message) => message is { MaxTokens: { } old, MaxCompletionTokens: { } now } && old != now
        ? throw JsonMessage.Refusal($"max_tokens is {old} and max_completion_tokens is {now}; send one of them.", "max_tokens")
        : message.MaxCompletionTokens ?? message.MaxTokens ?? int.MaxValue;

    private static int? Logprobs(ChatRequest message) => message switch
    {
        { TopLogprobs: not null, Logprobs: not true } => throw JsonMessage.Refusal("top_logprobs is set and logprobs is not true; set both.", "top_logprobs"),
        { TopLogprobs: < 0 or > MaxTopLogprobs } => throw JsonMessage.Refusal($"top_logprobs is {message.TopLogprobs}; it can be 0 to {MaxTopLogprobs}.", "top_logprobs"),
        { Logprobs: true } => message.TopLogprobs ?? 0,
        _ => null,
    };
}
