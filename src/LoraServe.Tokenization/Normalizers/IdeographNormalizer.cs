using LoraServe.Tokenization.Text;

namespace LoraServe.Tokenization.Normalizers;

/// <summary>BERT's way with Chinese: a space before and after every ideograph, which makes each a word.</summary>
internal sealed class IdeographNormalizer : Normalizer
{
    public override TextPiece Normalize(in TextPiece piece)
    {
        ReadOnlySpan<char> text = piece.Span;
        if (text.IndexOfAnyExceptInRange('\0', '\u33FF') < 0)
        {
            return piece;
        }

        PieceBuilder builder = new(piece);
        for (int i = 0, units; i < text.Length; i += units)
        {
            int codePoint = CodePoints.At(text, i, out units);
            bool isIdeograph = IsIdeograph(codePoint);
            if (isIdeograph)
            {
                builder.Add(" ", builder.OriginAt(i));
            }

            builder.Keep(i, i + units);
            if (isIdeograph)
            {
                builder.Add(" ", builder.OriginAt(i));
            }
        }

        return builder.Build();
    }

    /// <summary>The blocks that the library counts; the start of the second last one is its, too, and not Unicode's.</summary>
    private static bool IsIdeograph(int codePoint) => codePoint
        is (>= 0x4E00 and <= 0x9FFF) or (>= 0x3400 and <= 0x4DBF) or (>= 0x20000 and <= 0x2A6DF) or (>= 0x2A700 and <= 0x2B73F)
        or (>= 0x2B740 and <= 0x2B81F) or (>= 0x2B920 and <= 0x2CEAF) or (>= 0xF900 and <= 0xFAFF) or (>= 0x2F800 and <= 0x2FA1F);
}
