namespace LoraServe.Tokenization.Text;

/// <summary>Replaces the text of a piece code point by code point and works out where each new one comes from.</summary>
internal static class PieceTransform
{
    /// <summary>Applies a list of new code points to a piece.</summary>
    /// <param name="piece">The old text.</param>
    /// <param name="changes">
    /// The new code points in order. A change of 0 replaces the next old one; a positive change puts one in, which comes from
    /// where its predecessor comes from; a negative change replaces the next old one and drops as many after it.
    /// </param>
    /// <param name="skip">How many old code points are dropped before the first new one.</param>
    public static TextPiece Apply(in TextPiece piece, List<(int CodePoint, int Change)> changes, int skip = 0)
    {
        PieceBuilder builder = new(piece);
        ReadOnlySpan<char> text = piece.Span;
        int at = Advance(text, 0, skip);
        foreach ((int codePoint, int change) in changes)
        {
            if (change > 0)
            {
                builder.Add(codePoint, builder.OriginAt(at - 1));
            }
            else
            {
                builder.Add(codePoint, at < text.Length ? builder.OriginAt(at) : builder.OriginAt(at - 1));
                at = Advance(text, at, 1 - change);
            }
        }

        return builder.Build();
    }

    /// <summary>Puts text before a piece; it comes from where the piece's first code point comes from. An empty piece stays empty.</summary>
    public static TextPiece Prepend(in TextPiece piece, string text)
    {
        if (piece.Length == 0)
        {
            return piece;
        }

        PieceBuilder builder = new(piece);
        builder.Add(text, builder.OriginAt(0));
        builder.Keep(0, piece.Length);
        return builder.Build();
    }

    private static int Advance(ReadOnlySpan<char> text, int at, int codePoints)
    {
        for (int i = 0; i < codePoints && at < text.Length; i++)
        {
            CodePoints.At(text, at, out int units);
            at += units;
        }

        return at;
    }
}
