using LoraServe.Tokenization.Patterns;
using LoraServe.Tokenization.Text;

namespace LoraServe.Tokenization.Normalizers;

/// <summary>Replaces every match of a pattern; the new text comes from where the match's last code point comes from.</summary>
internal sealed class ReplaceNormalizer(Pattern pattern, string content) : Normalizer
{
    public override TextPiece Normalize(in TextPiece piece)
    {
        ReadOnlySpan<char> text = piece.Span;
        PatternScan scan = new(new PatternMatcher(pattern), text);
        PieceBuilder builder = new(piece);
        while (scan.MoveNext(out int start, out int end, out bool isMatch))
        {
            if (isMatch)
            {
                builder.Add(content, builder.OriginAt(end - 1));
            }
            else
            {
                builder.Keep(start, end);
            }
        }

        return builder.Build();
    }
}
