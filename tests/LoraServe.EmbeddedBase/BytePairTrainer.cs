using System.Runtime.InteropServices;
using System.Text;
using System.Text.RegularExpressions;

namespace LoraServe.EmbeddedBase;

/// <summary>Learns a byte-level byte-pair vocabulary from text (Sennrich et al. 2016, over bytes as GPT-2 has it).</summary>
/// <remarks>
/// Words are cut as GPT-2 cuts them, and no merge crosses one. In each round the most frequent pair of neighbours becomes a token;
/// of pairs that are equally frequent the one whose tokens came first, so that the same text always gives the same vocabulary.
/// </remarks>
internal sealed partial class BytePairTrainer
{
    private const int ByteCount = 256;
    private readonly List<byte[]> _tokens = [.. Enumerable.Range(0, ByteCount).Select(value => new[] { (byte)value })];
    private readonly List<(int Left, int Right)> _merges = [];
    private readonly List<(int[] Symbols, long Count)> _words;
    private readonly Dictionary<(int Left, int Right), long> _counts = [];
    private readonly Dictionary<(int Left, int Right), HashSet<int>> _places = [];

    private BytePairTrainer(IEnumerable<string> texts)
    {
        var counts = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (string text in texts)
        {
            foreach (ValueMatch match in Word().EnumerateMatches(text))
            {
                CollectionsMarshal.GetValueRefOrAddDefault(counts, text.Substring(match.Index, match.Length), out _)++;
            }
        }

        _words = [.. counts.OrderBy(word => word.Key, StringComparer.Ordinal).Select(word => (Encoding.UTF8.GetBytes(word.Key).Select(value => (int)value).ToArray(), word.Value))];
        for (int word = 0; word < _words.Count; word++)
        {
            Count(word, 1);
        }
    }

    /// <summary>Learns a vocabulary.</summary>
    /// <param name="texts">The text.</param>
    /// <param name="tokens">Tokens to end with, the 256 bytes included; fewer where no pair occurs twice.</param>
    /// <returns>The tokens as bytes, in the order of their ids, and the merges in the order of their use, as ids.</returns>
    public static (IReadOnlyList<byte[]> Tokens, IReadOnlyList<(int Left, int Right)> Merges) Train(IEnumerable<string> texts, int tokens)
    {
        var trainer = new BytePairTrainer(texts);
        while (trainer._tokens.Count < tokens && trainer.Merge())
        {
        }

        return (trainer._tokens, trainer._merges);
    }

    private bool Merge()
    {
        ((int Left, int Right) best, long count) = (default, 1);
        foreach (((int Left, int Right) pair, long pairCount) in _counts)
        {
            if (pairCount > count || (pairCount == count && count > 1 && pair.CompareTo(best) < 0))
            {
                (best, count) = (pair, pairCount);
            }
        }

        if (count < 2)
        {
            return false;
        }

        int merged = _tokens.Count;
        _tokens.Add([.. _tokens[best.Left], .. _tokens[best.Right]]);
        _merges.Add(best);
        foreach (int word in _places[best].ToArray())
        {
            Count(word, -1);
            _words[word] = (Replace(_words[word].Symbols, best, merged), _words[word].Count);
            Count(word, 1);
        }

        return true;
    }

    /// <summary>Adds a word's pairs to the counts, or takes them away.</summary>
    private void Count(int word, int sign)
    {
        (int[] symbols, long count) = _words[word];
        foreach ((int, int) pair in symbols.Zip(symbols.Skip(1)))
        {
            ref long pairCount = ref CollectionsMarshal.GetValueRefOrAddDefault(_counts, pair, out _);
            pairCount += sign * count;
            ref HashSet<int>? places = ref CollectionsMarshal.GetValueRefOrAddDefault(_places, pair, out _);
            places ??= [];
            if (sign > 0)
            {
                places.Add(word);
            }
            else
            {
                places.Remove(word);
            }

            if (pairCount == 0)
            {
                _counts.Remove(pair);
                _places.Remove(pair);
            }
        }
    }

    private static int[] Replace(int[] symbols, (int Left, int Right) pair, int merged)
    {
        var result = new List<int>(symbols.Length);
        for (int i = 0; i < symbols.Length; i++)
        {
            bool isPair = i + 1 < symbols.Length && (symbols[i], symbols[i + 1]) == pair;
            result.Add(isPair ? merged : symbols[i]);
            i += isPair ? 1 : 0;
        }

        return [.. result];
    }

    [GeneratedRegex(@"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+")]
    private static partial Regex Word();
}
