using LoraServe.Tokenization.Text;

namespace LoraServe.Tokenization.Normalizers;

/// <summary>Takes white space away from the start and the end.</summary>
internal sealed class StripNormalizer(bool left, bool right) : Normalizer
{
    public override TextPiece Normalize(in TextPiece piece)
    {
        ReadOnlySpan<char> text = piece.Span;
        int start = left ? text.Length - text.TrimStart().Length : 0;
        int end = right ? text.TrimEnd().Length : text.Length;
        return end <= start ? piece.Slice(0, 0) : piece.Slice(start, end) with { IsFirst = piece.IsFirst };
    }
}
