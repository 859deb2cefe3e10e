using System.Globalization;
using System.Text;

namespace LoraServe.Templates.Parsing;

/// <summary>The escapes of Python string literals; an unknown escape stays as it is written.</summary>
internal static class StringLiteral
{
    public static string Unescape(ReadOnlySpan<char> raw, int line)
    {
        if (!raw.Contains('\\'))
        {
            return raw.ToString();
        }

        StringBuilder text = new(raw.Length);
        for (int i = 0; i < raw.Length; i++)
        {
            if (raw[i] != '\\' || i + 1 == raw.Length)
            {
                text.Append(raw[i]);
                continue;
            }

            char escape = raw[++i];
            switch (escape)
            {
                case '\n': break;
                case 'n': text.Append('\n'); break;
                case 't': text.Append('\t'); break;
                case 'r': text.Append('\r'); break;
                case 'a': text.Append('\a'); break;
                case 'b': text.Append('\b'); break;
                case 'f': text.Append('\f'); break;
                case 'v': text.Append('\v'); break;
                case '\\' or '\'' or '"': text.Append(escape); break;
                case 'x': i += AppendCodePoint(text, raw, i + 1, 2, line); break;
                case 'u': i += AppendCodePoint(text, raw, i + 1, 4, line); break;
                case 'U': i += AppendCodePoint(text, raw, i + 1, 8, line); break;
                case >= '0' and <= '7': i += AppendOctal(text, raw, i) - 1; break;
                default: text.Append('\\').Append(escape); break;
            }
        }

        return text.ToString();
    }

    private static int AppendOctal(StringBuilder text, ReadOnlySpan<char> raw, int start)
    {
        int value = 0;
        int length = 0;
        while (length < 3 && start + length < raw.Length && raw[start + length] is >= '0' and <= '7')
        {
            value = (value * 8) + (raw[start + length++] - '0');
        }

        text.Append((char)value);
        return length;
    }

    private static int AppendCodePoint(StringBuilder text, ReadOnlySpan<char> raw, int start, int length, int line)
    {
        if (start + length > raw.Length
            || !int.TryParse(raw.Slice(start, length), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out int value)
            || value is < 0 or > 0x10FFFF)
        {
            throw new SyntaxError($"truncated or illegal \\{raw[start - 1]} escape in a string, {length} hexadecimal digits expected", line);
        }

        if (value < 0x10000)
        {
            text.Append((char)value);
        }
        else
        {
            text.Append(char.ConvertFromUtf32(value));
        }

        return length;
    }
}
