using System.Runtime.InteropServices;
using LoraServe.Tokenization.Text;

namespace LoraServe.Tokenization.Models;

/// <summary>A stage of a model whose tokens are ranges of a word's characters.</summary>
internal abstract class RangeStage(TokenOutput output, WordCache cache) : WordStage(output, cache)
{
    private readonly List<int> _ids = [];
    private readonly List<(int Start, int End)> _ranges = [];

    protected sealed override ReadOnlySpan<int> Tokenize(ReadOnlySpan<char> word)
    {
        Clear();
        Cut(word);
        return CollectionsMarshal.AsSpan(_ids);
    }

    protected sealed override void AddDetails(in TextPiece word, TokenOutput output)
    {
        for (int i = 0; i < _ids.Count; i++)
        {
            TextPiece part = word.Slice(_ranges[i].Start, _ranges[i].End);
            output.Add(_ids[i], TextOf(_ids[i], part.Span), part.Offsets());
        }
    }

    /// <summary>Cuts a word into tokens, which it adds.</summary>
    protected abstract void Cut(ReadOnlySpan<char> word);

    /// <summary>What a token that stands for a part of a word is called.</summary>
    protected abstract string TextOf(int id, ReadOnlySpan<char> part);

    protected void Add(int id, int start, int end)
    {
        _ids.Add(id);
        _ranges.Add((start, end));
    }

    /// <summary>Forgets what was added of this word.</summary>
    protected void Clear()
    {
        _ids.Clear();
        _ranges.Clear();
    }
}
