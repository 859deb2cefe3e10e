namespace LoraServe.Tokenization.Text;

/// <summary>A part of a text on its way from the input to the model, with the way back to the input where that is wanted.</summary>
/// <param name="Text">A text that holds the piece; always well-formed UTF-16.</param>
/// <param name="Origins">For each UTF-16 unit of <paramref name="Text"/> the input's code point that it comes from, or <see cref="NoOrigin"/>; null where offsets are not wanted.</param>
/// <param name="Start">First UTF-16 unit of the piece.</param>
/// <param name="Length">UTF-16 units of the piece.</param>
/// <param name="IsFirst">Whether the piece starts where the input starts.</param>
internal readonly record struct TextPiece(string Text, int[]? Origins, int Start, int Length, bool IsFirst)
{
    /// <summary>Stands for text that was put in before anything of the input: its offsets are (0, 0).</summary>
    public const int NoOrigin = -1;

    public ReadOnlySpan<char> Span => Text.AsSpan(Start, Length);

    /// <summary>The part of the piece from one unit up to another, both counted from the piece's start.</summary>
    public TextPiece Slice(int start, int end) =>
        new(Text, Origins, Start + start, end - start, IsFirst && start == 0);

    /// <summary>The piece with another text of the same length, unit for unit.</summary>
    public TextPiece WithText(string text) =>
        new(text, Origins?.AsSpan(Start, Length).ToArray(), 0, Length, IsFirst);

    /// <summary>The whole input as one piece.</summary>
    public static TextPiece Whole(string text, bool trackOrigins)
    {
        int[]? origins = null;
        if (trackOrigins)
        {
            origins = new int[text.Length];
            int codePoint = -1;
            for (int i = 0; i < text.Length; i++)
            {
                origins[i] = char.IsLowSurrogate(text[i]) ? codePoint : ++codePoint;
            }
        }

        return new TextPiece(text, origins, 0, text.Length, IsFirst: true);
    }

    /// <summary>The input's range that the piece comes from, in code points.</summary>
    public (int Start, int End) Offsets()
    {
        if (Origins is null || Length == 0)
        {
            return (0, 0);
        }

        return (Math.Max(Origins[Start], 0), Origins[Start + Length - 1] + 1);
    }
}
