using LoraServe.Tokenization.Text;

namespace LoraServe.Tokenization.Models;

/// <summary>BERT's model: the longest token that a word begins with, then the longest continuation, and so on; a word that does not come out whole is unknown.</summary>
internal sealed class WordPieceModel : TokenModel
{
    private readonly WordPieceConfig _config;
    private readonly TokenTrie _trie;
    private readonly int _continuation;
    private readonly WordCache _cache = new();

    public WordPieceModel(WordPieceConfig config)
    {
        _config = config;
        _trie = new TokenTrie(config.Vocabulary.Size);
        for (int id = 0; id < config.Vocabulary.Size; id++)
        {
            if (config.Vocabulary.Text(id) is { } token && config.IsFound(id))
            {
                _trie.Add(token, id);
            }
        }

        _continuation = _trie.Walk(config.ContinuingPrefix);
    }

    public override IPieceSink CreateStage(TokenOutput output) => new Stage(this, output);

    private sealed class Stage(WordPieceModel model, TokenOutput output) : RangeStage(output, model._cache)
    {
        protected override void Cut(ReadOnlySpan<char> word)
        {
            if (!TryCut(word))
            {
                Clear();
                Add(model._config.UnknownId, 0, word.Length);
            }
        }

        protected override string TextOf(int id, ReadOnlySpan<char> part) => model._config.Vocabulary.Text(id)!;

        private bool TryCut(ReadOnlySpan<char> word)
        {
            if (CodePoints.Count(word) > model._config.MostCharacters)
            {
                return false;
            }

            for (int start = 0, end; start < word.Length; start = end)
            {
                int id = Longest(word[start..], start == 0 ? TokenTrie.Root : model._continuation, out int length);
                if (id == Vocabulary.None)
                {
                    return false;
                }

                end = start + length;
                Add(id, start, end);
            }

            return true;
        }

        /// <summary>The longest token below a node that a text begins with.</summary>
        private int Longest(ReadOnlySpan<char> text, int node, out int length)
        {
            length = 0;
            int longest = Vocabulary.None;
            for (int i = 0; i < text.Length && node != TokenTrie.None; i++)
            {
                node = model._trie.Next(node, text[i]);
                if (node != TokenTrie.None && model._trie.IdAt(node) is not Vocabulary.None and var id)
                {
                    longest = id;
                    length = i + 1;
                }
            }

            return longest;
        }
    }
}
