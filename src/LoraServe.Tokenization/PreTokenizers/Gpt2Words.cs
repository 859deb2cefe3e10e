using System.Globalization;
using LoraServe.Tokenization.Text;

namespace LoraServe.Tokenization.PreTokenizers;

/// <summary>
/// Cuts text as GPT-2's expression does, <c>'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+</c>, without running one:
/// most vocabularies begin with it, and every text is covered by its matches.
/// </summary>
internal static class Gpt2Words
{
    private static readonly Kind[] s_ascii = AsciiKinds();

    private enum Kind : byte
    {
        Letter,
        Number,
        Space,
        Other,
    }

    /// <summary>Where the word ends that starts at a place.</summary>
    public static int End(ReadOnlySpan<char> text, int start)
    {
        if (text[start] == '\'' && ContractionLength(text[(start + 1)..]) is var length and > 0)
        {
            return start + 1 + length;
        }

        Kind kind = KindAt(text, start, out int units);
        int end = start + units;
        if (text[start] == ' ' && end < text.Length && KindAt(text, end, out units) is var following and not Kind.Space)
        {
            kind = following;
            end += units;
        }

        while (end < text.Length && KindAt(text, end, out units) == kind)
        {
            end += units;
        }

        // The last space before a word is left for it.
        return kind == Kind.Space && end < text.Length && end - start > 1 ? end - 1 : end;
    }

    private static int ContractionLength(ReadOnlySpan<char> rest)
    {
        if (rest is ['s' or 't' or 'm' or 'd', ..])
        {
            return 1;
        }

        return rest.StartsWith("re") || rest.StartsWith("ve") || rest.StartsWith("ll") ? 2 : 0;
    }

    private static Kind KindAt(ReadOnlySpan<char> text, int index, out int units)
    {
        char c = text[index];
        if (c < 128)
        {
            units = 1;
            return s_ascii[c];
        }

        return KindOf(CodePoints.At(text, index, out units));
    }

    private static Kind KindOf(int codePoint) => CharUnicodeInfo.GetUnicodeCategory(codePoint) switch
    {
        <= UnicodeCategory.OtherLetter => Kind.Letter,
        UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber => Kind.Number,
        _ => CodePoints.IsWhiteSpace(codePoint) ? Kind.Space : Kind.Other,
    };

    private static Kind[] AsciiKinds()
    {
        Kind[] kinds = new Kind[128];
        for (int c = 0; c < kinds.Length; c++)
        {
            kinds[c] = KindOf(c);
        }

        return kinds;
    }
}
