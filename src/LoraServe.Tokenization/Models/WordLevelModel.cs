using LoraServe.Tokenization.Text;

namespace LoraServe.Tokenization.Models;

/// <summary>Every word is a token, or unknown.</summary>
/// <param name="vocabulary">The words.</param>
/// <param name="isFound">Which tokens are found in a text; the others are control.</param>
/// <param name="unknownId">What stands for a word that the vocabulary lacks.</param>
internal sealed class WordLevelModel(Vocabulary vocabulary, Predicate<int> isFound, int unknownId) : TokenModel
{
    private readonly WordCache _cache = new();

    public override IPieceSink CreateStage(TokenOutput output) => new Stage(this, output);

    private sealed class Stage(WordLevelModel model, TokenOutput output) : RangeStage(output, model._cache)
    {
        protected override void Cut(ReadOnlySpan<char> word) => Add(model.IdOf(word), 0, word.Length);

        protected override string TextOf(int id, ReadOnlySpan<char> part) => model.TextOf(id);
    }

    private int IdOf(ReadOnlySpan<char> word) => vocabulary.IdOrNone(word) is not Vocabulary.None and var id && isFound(id) ? id : unknownId;

    private string TextOf(int id) => vocabulary.Text(id)!;
}
