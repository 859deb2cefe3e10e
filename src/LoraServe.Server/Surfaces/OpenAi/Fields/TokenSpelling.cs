using System.Text;
using LoraServe.Serving.Requests;
using LoraServe.Server.Surfaces.OpenAi.Messages;
using LoraServe.Tokenization;

namespace LoraServe.Server.Surfaces.OpenAi.Fields;

/// <summary>Tokens as texts, where log-probabilities speak of them.</summary>
/// <param name="tokenizer">The model's; null where it has none, and tokens are written as their ids.</param>
internal sealed class TokenSpelling(Tokenizer? tokenizer)
{
    /// <summary>What stands for minus infinity, which JSON cannot write.</summary>
    private const float Lowest = -9999;

    private const char Incomplete = '\uFFFD';
    private const char WordMark = '\u2581';

    /// <summary>The text of a token by itself; parts of characters have U+FFFD.</summary>
    public string Text(int id)
    {
        if (tokenizer is null)
        {
            return $"token_id:{id}";
        }

        string text = tokenizer.Decode([id], skipSpecialTokens: false);

        // Decoders of words take the space in front of a text's first one away.
        return tokenizer.TokenText(id) is [WordMark, ..] && !text.StartsWith(' ') ? $" {text}" : text;
    }

    /// <summary>A number that JSON can write.</summary>
    public static float Finite(float logProbability) => Math.Max(logProbability, Lowest);

    public TokenLogprob ToMessage(in GeneratedToken token) => ToMessage(token.TokenId, token.LogProbability, [.. token.Top.Select(other => ToMessage(other.TokenId, other.LogProbability, null))]);

    private TokenLogprob ToMessage(int id, float logProbability, IReadOnlyList<TokenLogprob>? top)
    {
        string text = Text(id);
        return new TokenLogprob(text, Finite(logProbability), text.Contains(Incomplete, StringComparison.Ordinal) ? null : [.. Encoding.UTF8.GetBytes(text)], top);
    }
}
