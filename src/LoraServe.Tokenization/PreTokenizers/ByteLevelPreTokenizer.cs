using LoraServe.Tokenization.Text;

namespace LoraServe.Tokenization.PreTokenizers;

/// <summary>GPT-2's pre-tokenizer: a space before the text, a cut by its expression, and bytes spelled as characters, each optional.</summary>
/// <param name="addPrefixSpace">Put a space before a piece that has none.</param>
/// <param name="useRegex">Cut into <see cref="Gpt2Words"/>.</param>
/// <param name="spellBytes">Spell bytes as characters here; not where the model takes the bytes themselves.</param>
internal sealed class ByteLevelPreTokenizer(bool addPrefixSpace, bool useRegex, bool spellBytes) : PreTokenizer
{
    public override IPieceSink CreateStage(IPieceSink next)
    {
        next = spellBytes ? new SpellingStage(next) : next;
        next = useRegex ? new WordStage(next) : next;
        return addPrefixSpace ? new PrefixStage(next) : next;
    }

    private sealed class PrefixStage(IPieceSink next) : IPieceSink
    {
        public void Accept(in TextPiece piece) =>
            next.Accept(piece.Length > 0 && piece.Span[0] == ' ' ? piece : PieceTransform.Prepend(piece, " "));
    }

    private sealed class WordStage(IPieceSink next) : IPieceSink
    {
        public void Accept(in TextPiece piece)
        {
            ReadOnlySpan<char> text = piece.Span;
            for (int start = 0, end; start < text.Length; start = end)
            {
                end = Gpt2Words.End(text, start);
                next.Accept(piece.Slice(start, end));
            }
        }
    }

    private sealed class SpellingStage(IPieceSink next) : IPieceSink
    {
        public void Accept(in TextPiece piece) => next.Accept(ByteCharacters.Spell(piece));
    }
}
