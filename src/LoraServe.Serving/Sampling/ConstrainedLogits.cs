using System.Numerics;
using LoraServe.Grammars;
using LoraServe.Grammars.Rules;

namespace LoraServe.Serving.Sampling;

/// <summary>Takes out of a row of logits what an answer's grammar does not let come next.</summary>
internal static class ConstrainedLogits
{
    private const int FewEnds = 256;

    /// <summary>Makes the logits of all tokens that may not come next −∞.</summary>
    /// <param name="matcher">Where the answer has come to.</param>
    /// <param name="endTokens">Tokens that end it, which may come where the text may be at its end, and nowhere else.</param>
    /// <param name="logits">The row.</param>
    /// <exception cref="GrammarException">The grammar can be read in too many ways here.</exception>
    public static void Mask(GrammarMatcher matcher, ReadOnlySpan<int> endTokens, Span<float> logits)
    {
        Span<float> ends = endTokens.Length <= FewEnds ? stackalloc float[FewEnds] : new float[endTokens.Length];
        for (int i = 0; i < endTokens.Length; i++)
        {
            ends[i] = logits[endTokens[i]];
        }

        ReadOnlySpan<ulong> allowed = matcher.AllowedTokens();
        for (int first = 0, word = 0; first < logits.Length; first += 64, word++)
        {
            Span<float> part = logits.Slice(first, Math.Min(64, logits.Length - first));
            ulong refused = word < allowed.Length ? ~allowed[word] : ulong.MaxValue;
            if (refused == ulong.MaxValue)
            {
                part.Fill(float.NegativeInfinity);
                continue;
            }

            for (; refused != 0; refused &= refused - 1)
            {
                int token = BitOperations.TrailingZeroCount(refused);
                if (token >= part.Length)
                {
                    break;
                }

                part[token] = float.NegativeInfinity;
            }
        }

        bool canEnd = matcher.CanEnd;
        for (int i = 0; i < endTokens.Length; i++)
        {
            logits[endTokens[i]] = canEnd ? ends[i] : float.NegativeInfinity;
        }
    }
}
