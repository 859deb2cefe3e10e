using LoraServe.Tokenization.Text;

namespace LoraServe.Tokenization.Models;

/// <summary>Takes words and puts their tokens out; words that come again are remembered, which is most of the speed.</summary>
internal abstract class WordStage(TokenOutput output, WordCache cache) : IPieceSink
{
    public virtual void Accept(in TextPiece piece) => AcceptWord(piece);

    protected void AcceptWord(in TextPiece piece)
    {
        ReadOnlySpan<char> word = piece.Span;
        if (output.IsDetailed)
        {
            Tokenize(word);
            AddDetails(piece, output);
            return;
        }

        bool isCached = word.Length <= WordCache.LongestWord;
        if (isCached && cache.TryGet(word, out int[] known))
        {
            output.Ids.AddRange(known.AsSpan());
            return;
        }

        ReadOnlySpan<int> ids = Tokenize(word);
        output.Ids.AddRange(ids);
        if (isCached)
        {
            cache.Put(word, ids);
        }
    }

    /// <summary>The ids of a word's tokens, valid until the next call.</summary>
    protected abstract ReadOnlySpan<int> Tokenize(ReadOnlySpan<char> word);

    /// <summary>Puts out the tokens of the word that was tokenized last, with their texts and places.</summary>
    protected abstract void AddDetails(in TextPiece word, TokenOutput output);
}
