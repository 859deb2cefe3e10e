using LoraServe.Tokenization.Text;

namespace LoraServe.Tokenization.Normalizers;

/// <summary>Lower case, by Unicode's mapping of each code point on its own.</summary>
internal sealed class LowercaseNormalizer : Normalizer
{
    private const int CapitalIWithDot = 0x130;
    private const int CombiningDotAbove = 0x307;

    public override TextPiece Normalize(in TextPiece piece)
    {
        ReadOnlySpan<char> text = piece.Span;
        List<(int, int)> changes = new(text.Length);
        for (int i = 0; i < text.Length;)
        {
            int codePoint = CodePoints.At(text, i, out int units);
            i += units;
            // The one code point whose lower case is longer than itself.
            if (codePoint == CapitalIWithDot)
            {
                changes.Add(('i', 0));
                changes.Add((CombiningDotAbove, 1));
            }
            else
            {
                changes.Add((Case.ToLower(codePoint), 0));
            }
        }

        return PieceTransform.Apply(piece, changes);
    }
}
