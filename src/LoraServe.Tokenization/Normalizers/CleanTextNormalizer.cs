using LoraServe.Tokenization.Text;

namespace LoraServe.Tokenization.Normalizers;

/// <summary>BERT's cleaning: drops what is no character to be read, and makes a space of all white space.</summary>
internal sealed class CleanTextNormalizer : Normalizer
{
    private const int ReplacementCharacter = 0xFFFD;

    public override TextPiece Normalize(in TextPiece piece)
    {
        ReadOnlySpan<char> text = piece.Span;
        PieceBuilder builder = new(piece);
        int kept = 0;
        for (int i = 0, units; i < text.Length; i += units)
        {
            int codePoint = CodePoints.At(text, i, out units);
            if (codePoint is >= ' ' and < 0x7F)
            {
                continue;
            }

            bool isSpace = CodePoints.IsWhiteSpace(codePoint);
            bool isDropped = codePoint == ReplacementCharacter || (LibraryUnicode.IsOther(codePoint) && codePoint is not ('\t' or '\n' or '\r'));
            if (isSpace || isDropped)
            {
                builder.Keep(kept, i);
                kept = i + units;
                if (!isDropped)
                {
                    builder.Add(" ", builder.OriginAt(i));
                }
            }
        }

        if (kept == 0)
        {
            return piece;
        }

        builder.Keep(kept, text.Length);
        return builder.Build();
    }
}
