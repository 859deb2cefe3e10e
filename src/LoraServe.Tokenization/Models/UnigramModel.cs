using System.Text;
using LoraServe.Tokenization.Text;

namespace LoraServe.Tokenization.Models;

/// <summary>A unigram language model: of all ways to cut a word the one whose tokens have the greatest sum of scores (Viterbi's algorithm).</summary>
internal sealed class UnigramModel : TokenModel
{
    private readonly UnigramConfig _config;
    private readonly TokenTrie _trie;
    private readonly int[] _byteIds = new int[256];
    private readonly WordCache _cache = new();

    public UnigramModel(UnigramConfig config)
    {
        _config = config;
        _trie = new TokenTrie(config.Scores.Length);
        for (int id = 0; id < config.Scores.Length; id++)
        {
            if (!double.IsNaN(config.Scores[id]) && config.Vocabulary.Text(id) is { } token)
            {
                _trie.Add(token, id);
            }
        }

        for (int b = 0; b < 256; b++)
        {
            _byteIds[b] = config.HasByteFallback ? config.Vocabulary.IdOrNone($"<0x{b:X2}>") : Vocabulary.None;
        }
    }

    public override IPieceSink CreateStage(TokenOutput output) => new Stage(this, output);

    private sealed class Stage(UnigramModel model, TokenOutput output) : RangeStage(output, model._cache)
    {
        private readonly int _unknown = model._config.UnknownId;

        // The best way to each place in the word: what it counts, where its last token starts (−1: no way yet), and which token that is.
        private double[] _scores = [];
        private int[] _starts = [];
        private int[] _tokens = [];
        private readonly List<int> _ends = [];

        protected override void Cut(ReadOnlySpan<char> word)
        {
            FindBestWays(word);
            _ends.Clear();
            for (int end = word.Length; end > 0; end = _starts[end])
            {
                _ends.Add(end);
            }

            int start = 0;
            for (int i = _ends.Count - 1; i >= 0; i--)
            {
                int end = _ends[i];
                if (_tokens[end] != _unknown)
                {
                    Add(_tokens[end], start, end);
                }
                else
                {
                    // Unknown characters in a row are one token.
                    while (i > 0 && _tokens[_ends[i - 1]] == _unknown)
                    {
                        end = _ends[--i];
                    }

                    AddUnknown(word[start..end], start, end);
                }

                start = end;
            }
        }

        protected override string TextOf(int id, ReadOnlySpan<char> part) => id == _unknown ? part.ToString() : model._config.Vocabulary.Text(id)!;

        private void FindBestWays(ReadOnlySpan<char> word)
        {
            Reserve(word.Length + 1);
            _starts.AsSpan(0, word.Length + 1).Fill(-1);
            _scores[0] = 0;
            TokenTrie trie = model._trie;
            for (int start = 0, units; start < word.Length; start += units)
            {
                units = char.IsHighSurrogate(word[start]) ? 2 : 1;
                double score = _scores[start];
                bool isKnown = false;
                int node = trie.Next(TokenTrie.Root, word[start]);
                for (int end = start + 1; node != TokenTrie.None; node = trie.Next(node, word[end++]))
                {
                    int id = trie.IdAt(node);
                    if (id != Vocabulary.None)
                    {
                        Offer(start, end, id, score + model._config.Scores[id]);
                        isKnown |= end == start + units;
                    }

                    if (end == word.Length)
                    {
                        break;
                    }
                }

                if (!isKnown)
                {
                    Offer(start, start + units, _unknown, score + model._config.UnknownScore);
                }
            }
        }

        /// <summary>Takes a way if it is better than the best one so far; of equal ones the first counts.</summary>
        private void Offer(int start, int end, int id, double score)
        {
            if (_starts[end] < 0 || score > _scores[end])
            {
                _scores[end] = score;
                _starts[end] = start;
                _tokens[end] = id;
            }
        }

        private void AddUnknown(ReadOnlySpan<char> text, int start, int end)
        {
            int known = model._config.Vocabulary.IdOrNone(text);
            if (known != Vocabulary.None && !double.IsNaN(model._config.Scores[known]))
            {
                Add(known, start, end);
            }
            else if (!TryAddBytes(text, start, end) && _unknown != Vocabulary.None)
            {
                Add(_unknown, start, end);
            }
        }

        private bool TryAddBytes(ReadOnlySpan<char> text, int start, int end)
        {
            if (!model._config.HasByteFallback)
            {
                return false;
            }

            byte[] bytes = new byte[Encoding.UTF8.GetByteCount(text)];
            Encoding.UTF8.GetBytes(text, bytes);
            if (Array.Exists(bytes, b => model._byteIds[b] == Vocabulary.None))
            {
                return false;
            }

            foreach (byte b in bytes)
            {
                Add(model._byteIds[b], start, end);
            }

            return true;
        }

        private void Reserve(int places)
        {
            if (_scores.Length < places)
            {
                places = Math.Max(places, 64);
                _scores = new double[places];
                _starts = new int[places];
                _tokens = new int[places];
            }
        }
    }
}
