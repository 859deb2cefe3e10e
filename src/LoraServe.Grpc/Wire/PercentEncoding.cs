using System.Buffers;
using System.Globalization;
using System.Text;

namespace LoraServe.Grpc.Wire;

/// <summary>The encoding of grpc-message: UTF-8, with '%' and all bytes outside printable ASCII as %XX.</summary>
internal static class PercentEncoding
{
    private static readonly SearchValues<char> s_literal =
        SearchValues.Create([.. Enumerable.Range(' ', '~' - ' ' + 1).Select(c => (char)c).Where(c => c != '%')]);

    public static string Encode(string text)
    {
        if (!text.AsSpan().ContainsAnyExcept(s_literal))
        {
            return text;
        }

        var encoded = new StringBuilder(text.Length + 16);
        foreach (byte b in Encoding.UTF8.GetBytes(text))
        {
            if (s_literal.Contains((char)b))
            {
                encoded.Append((char)b);
            }
            else
            {
                encoded.Append(CultureInfo.InvariantCulture, $"%{b:X2}");
            }
        }

        return encoded.ToString();
    }

    /// <summary>The text behind an encoded one; what is not a valid escape stays as it is.</summary>
    public static string Decode(string encoded)
    {
        if (!encoded.Contains('%'))
        {
            return encoded;
        }

        byte[] bytes = Encoding.UTF8.GetBytes(encoded);
        int end = 0;
        for (int i = 0; i < bytes.Length; i++, end++)
        {
            if (bytes[i] == '%' && i + 2 < bytes.Length && byte.TryParse(bytes.AsSpan(i + 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out byte value))
            {
                bytes[end] = value;
                i += 2;
            }
            else
            {
                bytes[end] = bytes[i];
            }
        }

        return Encoding.UTF8.GetString(bytes, 0, end);
    }
}
