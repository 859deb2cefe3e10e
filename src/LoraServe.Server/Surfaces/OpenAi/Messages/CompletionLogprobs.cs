namespace LoraServe.Server.Surfaces.OpenAi.Messages;

/// <summary>Log-probabilities of tokens, in lists of equal length.</summary>
internal sealed record CompletionLogprobs
{
    public List<string> Tokens { get; } = [];

    /// <summary>Null for a text's first token, which nothing comes before.</summary>
    public List<float?> TokenLogprobs { get; } = [];

    public List<Dictionary<string, float>?> TopLogprobs { get; } = [];

    /// <summary>Where each token begins in the text.</summary>
    public List<int> TextOffset { get; } = [];
}
