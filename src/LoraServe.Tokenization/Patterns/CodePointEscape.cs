using System.Globalization;
using LoraServe.Tokenization.Text;

namespace LoraServe.Tokenization.Patterns;

/// <summary>Reads an escape that stands for one code point or a set of them.</summary>
internal static class CodePointEscape
{
    /// <summary>Reads the escape at the backslash and moves past it.</summary>
    public static CodePointSet Parse(string text, ref int at, Func<string, FormatException> refused)
    {
        if (at + 1 >= text.Length)
        {
            throw refused("'\\' ends the expression");
        }

        char c = text[at + 1];
        switch (c)
        {
            case 'd' or 'D' or 's' or 'S' or 'w' or 'W' or 'h' or 'H':
                at += 2;
                CodePointSet set = char.ToLowerInvariant(c) switch
                {
                    'd' => CodePointSet.Digit,
                    's' => CodePointSet.Space,
                    'w' => CodePointSet.Word,
                    _ => CodePointSet.HexDigit,
                };
                return char.IsAsciiLetterUpper(c) ? set.Complement() : set;
            case 'N':
                at += 2;
                return CodePointSet.NotNewLine;
            case 'p' or 'P':
                at += 2;
                return ParseProperty(text, ref at, c == 'P', refused);
            default:
                return CodePointSet.Single(ParseLiteral(text, ref at, refused));
        }
    }

    /// <summary>Whether the escape at the backslash stands for one code point.</summary>
    public static bool IsLiteral(string text, int at) =>
        at + 1 < text.Length && text[at + 1] is not ('d' or 'D' or 's' or 'S' or 'w' or 'W' or 'h' or 'H' or 'p' or 'P' or 'N');

    /// <summary>Reads an escape that stands for one code point.</summary>
    public static int ParseLiteral(string text, ref int at, Func<string, FormatException> refused)
    {
        char c = at + 1 < text.Length ? text[at + 1] : throw refused("'\\' ends the expression");
        at += 2;
        switch (c)
        {
            case 'n':
                return '\n';
            case 'r':
                return '\r';
            case 't':
                return '\t';
            case 'f':
                return '\f';
            case 'v':
                return '\v';
            case 'a':
                return '\a';
            case 'e':
                return 0x1B;
            case '0':
                return 0;
            case 'u':
                return ParseHex(text, ref at, 4, 4, refused);
            case 'x' when at < text.Length && text[at] == '{':
                at++;
                int value = ParseHex(text, ref at, 1, 8, refused);
                if (at >= text.Length || text[at++] != '}')
                {
                    throw refused("'\\x{' is never closed");
                }

                return value;
            case 'x':
                return ParseHex(text, ref at, 1, 2, refused);
            default:
                if (char.IsAsciiLetterOrDigit(c))
                {
                    throw refused($"'\\{c}' is not supported");
                }

                at--;
                int codePoint = CodePoints.At(text, at, out int units);
                at += units;
                return codePoint;
        }
    }

    private static int ParseHex(string text, ref int at, int fewest, int most, Func<string, FormatException> refused)
    {
        int length = 0;
        while (length < most && at + length < text.Length && char.IsAsciiHexDigit(text[at + length]))
        {
            length++;
        }

        if (length < fewest
            || !uint.TryParse(text.AsSpan(at, length), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out uint value)
            || value > 0x10FFFF)
        {
            throw refused("a hexadecimal escape is not a code point");
        }

        at += length;
        return (int)value;
    }

    private static CodePointSet ParseProperty(string text, ref int at, bool negative, Func<string, FormatException> refused)
    {
        string name;
        if (at < text.Length && text[at] == '{')
        {
            int end = text.IndexOf('}', at);
            name = end < 0 ? throw refused("'\\p{' is never closed") : text[(at + 1)..end];
            at = end + 1;
        }
        else
        {
            name = at < text.Length ? text[at++].ToString() : throw refused("'\\p' lacks a name");
        }

        if (name.StartsWith('^'))
        {
            negative = !negative;
            name = name[1..];
        }

        CodePointSet set = UnicodeProperty.TryGet(name) ?? throw refused($"the character property '{name}' is not known");
        return negative ? set.Complement() : set;
    }
}
