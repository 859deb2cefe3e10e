using LoraServe.Tokenization.Text;

namespace LoraServe.Tokenization.Normalizers;

/// <summary>SentencePiece's cleaning for translation: drops control characters, and makes a space of line ends and of what cannot be seen.</summary>
internal sealed class NmtNormalizer : Normalizer
{
    public override TextPiece Normalize(in TextPiece piece)
    {
        ReadOnlySpan<char> text = piece.Span;
        PieceBuilder builder = new(piece);
        for (int i = 0; i < text.Length; i++)
        {
            switch (text[i])
            {
                case (>= '\x01' and <= '\x08') or '\x0B' or (>= '\x0E' and <= '\x1F') or '\x7F' or '\x8F' or '\x9F':
                    break;
                case '\t' or '\n' or '\f' or '\r' or '\u1680' or (>= '\u200B' and <= '\u200F') or '\u2028' or '\u2029' or '\u2581' or '\uFEFF' or '\uFFFD':
                    builder.Add(" ", builder.OriginAt(i));
                    break;
                default:
                    builder.Keep(i, i + 1);
                    break;
            }
        }

        return builder.Build();
    }
}
