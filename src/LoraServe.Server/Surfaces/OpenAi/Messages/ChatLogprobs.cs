using System.Text.Json.Serialization;

namespace LoraServe.Server.Surfaces.OpenAi.Messages;

/// <summary>Log-probabilities of an answer's tokens.</summary>
internal sealed record ChatLogprobs(IReadOnlyList<TokenLogprob> Content)
{
    public IReadOnlyList<TokenLogprob>? Refusal { get; }
}

/// <summary>A token, how likely it was, and those that were most likely at its place.</summary>
/// <param name="Token">Its text.</param>
/// <param name="Logprob">Natural logarithm of its probability.</param>
/// <param name="Bytes">Its text in UTF-8; null for a token that is a part of a character.</param>
/// <param name="TopLogprobs">The most likely, best first; null in that list itself.</param>
internal sealed record TokenLogprob(
    string Token, float Logprob, int[]? Bytes, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<TokenLogprob>? TopLogprobs);
