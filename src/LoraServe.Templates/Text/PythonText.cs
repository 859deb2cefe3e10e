using System.Globalization;
using System.Text;

namespace LoraServe.Templates.Text;

/// <summary>Strings as Python has them: sequences of code points, not of UTF-16 units.</summary>
internal static class PythonText
{
    /// <summary>White space as str.strip and str.split see it.</summary>
    public static bool IsSpace(char c) => char.IsWhiteSpace(c) || c is >= '\x1c' and <= '\x1f';

    public static bool IsBlank(ReadOnlySpan<char> text)
    {
        foreach (char c in text)
        {
            if (!IsSpace(c))
            {
                return false;
            }
        }

        return true;
    }

    public static string Trim(string text, string? characters) => TrimStart(TrimEnd(text, characters), characters);

    public static string TrimStart(string text, string? characters)
    {
        int start = 0;
        while (start < text.Length && IsTrimmed(text[start], characters))
        {
            start++;
        }

        return text[start..];
    }

    public static string TrimEnd(string text, string? characters = null)
    {
        int end = text.Length;
        while (end > 0 && IsTrimmed(text[end - 1], characters))
        {
            end--;
        }

        return text[..end];
    }

    public static bool HasSurrogates(string text) => text.AsSpan().IndexOfAnyInRange('\ud800', '\udfff') >= 0;

    /// <summary>How many code points the text has.</summary>
    public static int Length(string text) => CodePointIndex(text, text.Length);

    /// <summary>How many code points lie before a UTF-16 index.</summary>
    public static int CodePointIndex(string text, int utf16Index)
    {
        int count = utf16Index;
        if (HasSurrogates(text))
        {
            for (int i = 0; i + 1 < utf16Index; i++)
            {
                if (char.IsSurrogatePair(text[i], text[i + 1]))
                {
                    count--;
                    i++;
                }
            }
        }

        return count;
    }

    /// <summary>The UTF-16 index of a code point.</summary>
    public static int Utf16Index(string text, int codePointIndex)
    {
        if (!HasSurrogates(text))
        {
            return Math.Min(codePointIndex, text.Length);
        }

        int i = 0;
        for (int n = 0; n < codePointIndex && i < text.Length; n++)
        {
            i += SizeAt(text, i);
        }

        return i;
    }

    public static string Character(string text, int codePointIndex)
    {
        int start = Utf16Index(text, codePointIndex);
        return text.Substring(start, SizeAt(text, start));
    }

    public static IEnumerable<string> Characters(string text)
    {
        for (int i = 0; i < text.Length;)
        {
            int size = SizeAt(text, i);
            yield return text.Substring(i, size);
            i += size;
        }
    }

    /// <summary>Compares by code point.</summary>
    public static int Compare(string left, string right)
    {
        int i = left.AsSpan().CommonPrefixLength(right);
        if (i == left.Length || i == right.Length)
        {
            return left.Length.CompareTo(right.Length);
        }

        // Surrogates stand for code points above every other unit.
        (char l, char r) = (left[i], right[i]);
        return char.IsSurrogate(l) == char.IsSurrogate(r) ? l.CompareTo(r) : char.IsSurrogate(l) ? 1 : -1;
    }

    public static IEnumerable<string> SplitLines(string text, bool keepEnds = false)
    {
        int start = 0;
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] is '\n' or '\r' or '\v' or '\f' or (>= '\x1c' and <= '\x1e') or '\x85' or '\u2028' or '\u2029')
            {
                int end = text[i] == '\r' && i + 1 < text.Length && text[i + 1] == '\n' ? i + 2 : i + 1;
                yield return text[start..(keepEnds ? end : i)];
                start = end;
                i = end - 1;
            }
        }

        if (start < text.Length)
        {
            yield return text[start..];
        }
    }

    /// <summary>The literal that Python prints for a string inside a list.</summary>
    public static string Repr(string text)
    {
        char quote = text.Contains('\'') && !text.Contains('"') ? '"' : '\'';
        StringBuilder result = new(text.Length + 2);
        result.Append(quote);
        foreach (string character in Characters(text))
        {
            AppendEscaped(result, character, quote);
        }

        return result.Append(quote).ToString();
    }

    /// <summary>Whether Python prints a character as it is.</summary>
    public static bool IsPrintable(string character) => character == " " || CategoryOf(character)
        is not (UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse
            or UnicodeCategory.OtherNotAssigned or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator
            or UnicodeCategory.SpaceSeparator);

    public static UnicodeCategory CategoryOf(string character) => CharUnicodeInfo.GetUnicodeCategory(character, 0);

    private static void AppendEscaped(StringBuilder result, string character, char quote)
    {
        int code = character.Length == 2 ? char.ConvertToUtf32(character[0], character[1]) : character[0];
        switch (code)
        {
            case '\n': result.Append("\\n"); break;
            case '\r': result.Append("\\r"); break;
            case '\t': result.Append("\\t"); break;
            case '\\': result.Append("\\\\"); break;
            case var _ when code == quote: result.Append('\\').Append(quote); break;
            case var _ when IsPrintable(character): result.Append(character); break;
            case < 0x100: result.Append(CultureInfo.InvariantCulture, $"\\x{code:x2}"); break;
            case < 0x10000: result.Append(CultureInfo.InvariantCulture, $"\\u{code:x4}"); break;
            default: result.Append(CultureInfo.InvariantCulture, $"\\U{code:x8}"); break;
        }
    }

    private static int SizeAt(string text, int i) =>
        i + 1 < text.Length && char.IsSurrogatePair(text[i], text[i + 1]) ? 2 : 1;

    private static bool IsTrimmed(char c, string? characters) => characters is null ? IsSpace(c) : characters.Contains(c);
}
