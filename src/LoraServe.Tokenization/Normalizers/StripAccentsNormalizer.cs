using System.Globalization;
using LoraServe.Tokenization.Text;

namespace LoraServe.Tokenization.Normalizers;

/// <summary>Drops non-spacing marks; only those that stand on their own, so it wants a decomposed text.</summary>
internal sealed class StripAccentsNormalizer : Normalizer
{
    public override TextPiece Normalize(in TextPiece piece)
    {
        PieceBuilder builder = new(piece);
        ReadOnlySpan<char> text = piece.Span;
        for (int i = 0; i < text.Length;)
        {
            int codePoint = CodePoints.At(text, i, out int units);
            if (CharUnicodeInfo.GetUnicodeCategory(codePoint) != UnicodeCategory.NonSpacingMark)
            {
                builder.Keep(i, i + units);
            }

            i += units;
        }

        return builder.Build();
    }
}
