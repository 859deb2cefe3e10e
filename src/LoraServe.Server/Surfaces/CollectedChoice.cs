using LoraServe.Serving.Requests;

namespace LoraServe.Server.Surfaces;

/// <summary>One of the n answers to a request.</summary>
/// <param name="Echo">The prompt's text, where it comes in front of the answer's; else empty.</param>
/// <param name="Tokens">Its tokens, with their log-probabilities where those were asked for; none where none were to be generated.</param>
internal sealed record CollectedChoice(string Echo, IReadOnlyList<GeneratedToken> Tokens)
{
    /// <summary>Its whole text.</summary>
    public string Text { get; } = Echo + string.Concat(Tokens.Select(token => token.Text));

    /// <summary>Why it ended.</summary>
    public FinishReason Finish => Tokens.Count > 0 ? Tokens[^1].Finish : FinishReason.Length;
}
