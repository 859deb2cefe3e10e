using LoraServe.Tokenization.Text;

namespace LoraServe.Tokenization.Normalizers;

/// <summary>Drops marks; only those that stand on their own, so it wants a decomposed text.</summary>
/// <param name="isMark">Which code points are dropped.</param>
internal sealed class StripMarksNormalizer(Predicate<int> isMark) : Normalizer
{
    private const char FirstMark = '\u0300';

    public override TextPiece Normalize(in TextPiece piece)
    {
        ReadOnlySpan<char> text = piece.Span;
        if (text.IndexOfAnyExceptInRange('\0', (char)(FirstMark - 1)) < 0)
        {
            return piece;
        }

        PieceBuilder builder = new(piece);
        int kept = 0;
        for (int i = 0, units; i < text.Length; i += units)
        {
            int codePoint = CodePoints.At(text, i, out units);
            if (codePoint >= FirstMark && isMark(codePoint))
            {
                builder.Keep(kept, i);
                kept = i + units;
            }
        }

        builder.Keep(kept, text.Length);
        return builder.Build();
    }
}
