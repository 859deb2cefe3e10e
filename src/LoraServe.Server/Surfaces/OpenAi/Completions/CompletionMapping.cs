using LoraServe.Server.Surfaces.OpenAi.Fields;
using LoraServe.Server.Surfaces.OpenAi.Messages;
using LoraServe.Serving.Requests;

namespace LoraServe.Server.Surfaces.OpenAi.Completions;

/// <summary>Prompts to continue as the engine's requests.</summary>
internal static class CompletionMapping
{
    private const int DefaultMaxTokens = 16;

    /// <summary>A request of the engine for each prompt.</summary>
    /// <param name="message">The message.</param>
    /// <param name="adapters">What answers.</param>
    /// <param name="caller">Who asks.</param>
    /// <param name="requestId">The id of them all.</param>
    public static IReadOnlyList<GenerationRequest> ToDomain(CompletionRequest message, IReadOnlyList<AdapterReference> adapters, Principal caller, string requestId)
    {
        if (message.Suffix is not null)
        {
            throw FieldReading.Unsupported("suffix", "The model continues a text and cannot fill in what lies before a suffix. Leave it out.");
        }

        if (message.BestOf is { } drawn && drawn != (message.N ?? 1))
        {
            throw FieldReading.Unsupported("best_of", $"It is {drawn} and n is {message.N ?? 1}; all answers that are drawn are returned. Set n, or leave best_of out.");
        }

        var request = new GenerationRequest
        {
            Adapters = adapters,
            Sampling = SamplingMapping.ToDomain(message, message.MaxTokens ?? DefaultMaxTokens, message.Logprobs),
            Echo = message.Echo ?? false,
            RequestId = requestId,
            Principal = caller,
        };
        (IReadOnlyList<string> texts, IReadOnlyList<IReadOnlyList<int>> tokens) = FieldReading.TextsOrTokens(message.Prompt, "prompt");
        GenerationRequest[] prompts = [.. texts.Select(text => request with { Prompt = text }), .. tokens.Select(ids => request with { PromptTokens = ids })];
        return prompts.Length == 1 ? prompts : [.. prompts.Select((prompt, i) => prompt with { RequestId = $"{requestId}-{i}" })];
    }
}
