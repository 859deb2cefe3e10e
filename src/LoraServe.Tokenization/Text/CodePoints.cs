using System.Globalization;
using System.Text;

namespace LoraServe.Tokenization.Text;

/// <summary>Reads UTF-16 text by code points and says which kind of character each is.</summary>
internal static class CodePoints
{
    /// <summary>The code point at an index of well-formed text, and how many units it takes.</summary>
    public static int At(ReadOnlySpan<char> text, int index, out int units)
    {
        char c = text[index];
        if (char.IsHighSurrogate(c) && index + 1 < text.Length)
        {
            units = 2;
            return char.ConvertToUtf32(c, text[index + 1]);
        }

        units = 1;
        return c;
    }

    /// <summary>The code point that ends before an index of well-formed text, and how many units it takes.</summary>
    public static int Before(ReadOnlySpan<char> text, int index, out int units)
    {
        char c = text[index - 1];
        if (char.IsLowSurrogate(c) && index >= 2)
        {
            units = 2;
            return char.ConvertToUtf32(text[index - 2], c);
        }

        units = 1;
        return c;
    }

    /// <summary>How many code points a well-formed text has.</summary>
    public static int Count(ReadOnlySpan<char> text)
    {
        int count = text.Length;
        foreach (char c in text)
        {
            count -= char.IsLowSurrogate(c) ? 1 : 0;
        }

        return count;
    }

    /// <summary>Replaces lone surrogates by U+FFFD, so that every later step sees well-formed text.</summary>
    public static string WellFormed(string text)
    {
        if (text.AsSpan().IndexOfAnyInRange('\uD800', '\uDFFF') < 0)
        {
            return text;
        }

        StringBuilder builder = new(text.Length);
        foreach (Rune rune in text.EnumerateRunes())
        {
            builder.Append(rune.ToString());
        }

        return builder.ToString();
    }

    /// <summary>Unicode's White_Space property.</summary>
    public static bool IsWhiteSpace(int codePoint) =>
        codePoint <= 0xFFFF && char.IsWhiteSpace((char)codePoint);

    /// <summary>A number of any kind: Nd, Nl or No.</summary>
    public static bool IsNumber(int codePoint) => CharUnicodeInfo.GetUnicodeCategory(codePoint)
        is UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber;

    /// <summary>Punctuation of any kind, and all of ASCII's symbols.</summary>
    public static bool IsPunctuation(int codePoint) =>
        codePoint < 0x80
            ? codePoint > ' ' && codePoint < 0x7F && !char.IsAsciiLetterOrDigit((char)codePoint)
            : CharUnicodeInfo.GetUnicodeCategory(codePoint) is >= UnicodeCategory.ConnectorPunctuation and <= UnicodeCategory.OtherPunctuation;

    /// <summary>Part of a word in the sense of a regular expression's <c>\w</c>: letters, marks, digits, letter numbers, connectors.</summary>
    public static bool IsWord(int codePoint) => CharUnicodeInfo.GetUnicodeCategory(codePoint) switch
    {
        <= UnicodeCategory.OtherLetter => true,
        UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark => true,
        UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.ConnectorPunctuation => true,
        UnicodeCategory.OtherSymbol => codePoint is (>= 0x24B6 and <= 0x24E9) or (>= 0x1F130 and <= 0x1F149)
            or (>= 0x1F150 and <= 0x1F169) or (>= 0x1F170 and <= 0x1F189),
        _ => false,
    };
}
