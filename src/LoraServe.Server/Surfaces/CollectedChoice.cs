using LoraServe.Serving.Requests;

namespace LoraServe.Server.Surfaces;

/// <summary>One of the n answers to a request.</summary>
/// <param name="Tokens">Its tokens, with their log-probabilities where those were asked for.</param>
internal sealed record CollectedChoice(IReadOnlyList<GeneratedToken> Tokens)
{
    /// <summary>Its whole text.</summary>
    public string Text { get; } = string.Concat(Tokens.Select(token => token.Text));

    /// <summary>Why it ended.</summary>
    public FinishReason Finish => Tokens.Count > 0 ? Tokens[^1].Finish : FinishReason.None;
}
