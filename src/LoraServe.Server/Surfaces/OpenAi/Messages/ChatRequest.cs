using System.Text.Json;

namespace LoraServe.Server.Surfaces.OpenAi.Messages;

/// <summary>A conversation to go on with.</summary>
internal sealed record ChatRequest : SamplingFields
{
    public IReadOnlyList<ChatMessage>? Messages { get; init; }

    /// <summary>The newer name of <see cref="SamplingFields.MaxTokens"/>.</summary>
    public int? MaxCompletionTokens { get; init; }

    public bool? Logprobs { get; init; }

    public int? TopLogprobs { get; init; }

    public IReadOnlyList<JsonElement>? Tools { get; init; }

    public JsonElement ToolChoice { get; init; }

    /// <summary>Variables of the template, as vLLM has it.</summary>
    public IReadOnlyDictionary<string, JsonElement>? ChatTemplateKwargs { get; init; }

    /// <summary>Only text.</summary>
    public IReadOnlyList<string>? Modalities { get; init; }

    /// <summary>Whether calls that are forced may be several; how many a model makes of its own accord is its own decision.</summary>
    public bool? ParallelToolCalls { get; init; }
}
