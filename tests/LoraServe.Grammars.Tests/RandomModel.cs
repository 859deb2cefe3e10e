using System.Text;
using LoraServe.Grammars.Masks;

namespace LoraServe.Grammars.Tests;

/// <summary>A model that chooses any token that it may.</summary>
internal sealed class RandomModel(Random random)
{
    /// <summary>Tokens after which it looks for an end.</summary>
    private const int Patience = 60;

    private const int MostTokens = 2_000;

    /// <summary>The bytes of an answer; null where it came to no end. The tokens go to <paramref name="tokens"/>.</summary>
    public byte[]? Answer(CompiledGrammar grammar, List<int> tokens)
    {
        GrammarMatcher matcher = grammar.CreateMatcher();
        MemoryStream bytes = new();
        while (!matcher.IsComplete && !(matcher.CanEnd && (tokens.Count > Patience || random.Next(4) == 0)))
        {
            int token = Choose(matcher.AllowedTokens(), grammar.Vocabulary, tokens.Count > Patience, tokens.Count == 0);
            Assert.True(token >= 0, $"no token may follow {Encoding.UTF8.GetString(bytes.ToArray())}");
            bytes.Write(grammar.Vocabulary.Bytes(token, tokens.Count == 0));
            Assert.True(matcher.TryAccept(token), $"token {token} is allowed by the mask alone");
            tokens.Add(token);
            if (tokens.Count == MostTokens)
            {
                return null;
            }
        }

        return bytes.ToArray();
    }

    private int Choose(ReadOnlySpan<ulong> mask, TokenVocabulary vocabulary, bool wantsEnd, bool isFirst)
    {
        wantsEnd &= random.Next(4) > 0;
        int chosen = -1;
        int best = -1;
        for (int token = 0; token < vocabulary.Count; token++)
        {
            if ((mask[token >> 6] >> (token & 63) & 1) == 0)
            {
                continue;
            }

            ReadOnlySpan<byte> bytes = vocabulary.Bytes(token, isFirst);
            int closes = !wantsEnd || bytes.Length > 1 ? 0 : bytes[0] == '"' ? 2 : char.IsAsciiLetterOrDigit((char)bytes[0]) ? 0 : 1;
            int rank = (closes << 20) + random.Next(1 << 20);
            (best, chosen) = rank > best ? (rank, token) : (best, chosen);
        }

        return chosen;
    }
}
