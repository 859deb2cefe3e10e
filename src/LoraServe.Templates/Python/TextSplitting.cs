using System.Text;
using LoraServe.Templates.Text;
using LoraServe.Templates.Values;

namespace LoraServe.Templates.Python;

/// <summary>Cutting strings as Python does.</summary>
internal static class TextSplitting
{
    /// <summary>str.split; without a separator, at runs of white space.</summary>
    public static IEnumerable<string> Split(string text, string? separator, int limit)
    {
        if (separator is null)
        {
            return SplitAtSpace(text, limit);
        }

        CheckSeparator(separator);
        return text.Split(separator, limit is < 0 or int.MaxValue ? int.MaxValue : limit + 1);
    }

    /// <summary>str.rsplit.</summary>
    public static IEnumerable<string> SplitFromRight(string text, string? separator, int limit)
    {
        if (limit < 0)
        {
            return Split(text, separator, limit);
        }

        if (separator is null)
        {
            return SplitAtSpace(Reversed(text), limit).Select(Reversed).Reverse();
        }

        CheckSeparator(separator);
        List<string> parts = [];
        int end = text.Length;
        while (parts.Count < limit)
        {
            int index = end == 0 ? -1 : text.LastIndexOf(separator, end - 1, end, StringComparison.Ordinal);
            if (index < 0)
            {
                break;
            }

            parts.Add(text[(index + separator.Length)..end]);
            end = index;
        }

        parts.Add(text[..end]);
        parts.Reverse();
        return parts;
    }

    public static TupleValue Partition(string text, string separator, bool fromRight)
    {
        CheckSeparator(separator);
        int index = fromRight
            ? text.LastIndexOf(separator, StringComparison.Ordinal)
            : text.IndexOf(separator, StringComparison.Ordinal);
        return index < 0
            ? new TupleValue(fromRight ? ["", "", text] : [text, "", ""])
            : new TupleValue([text[..index], separator, text[(index + separator.Length)..]]);
    }

    /// <summary>The parts between which replacing the empty string inserts.</summary>
    public static List<string> BetweenCharacters(string text, int limit)
    {
        List<string> parts = [""];
        int used = 0;
        foreach (string character in PythonText.Characters(text))
        {
            if (parts.Count == limit)
            {
                break;
            }

            parts.Add(character);
            used += character.Length;
        }

        parts.Add(text[used..]);
        return parts;
    }

    public static string ExpandTabs(string text, int size)
    {
        StringBuilder result = new(text.Length);
        int column = 0;
        foreach (char c in text)
        {
            if (c == '\t')
            {
                int blanks = size == 0 ? 0 : size - (column % size);
                result.Append(' ', blanks);
                column += blanks;
            }
            else
            {
                result.Append(c);
                column = c is '\n' or '\r' ? 0 : column + 1;
            }
        }

        return result.ToString();
    }

    private static IEnumerable<string> SplitAtSpace(string text, int limit)
    {
        int i = 0;
        for (int count = 0; ; count++)
        {
            while (i < text.Length && PythonText.IsSpace(text[i]))
            {
                i++;
            }

            if (i == text.Length)
            {
                yield break;
            }

            if (count == limit)
            {
                yield return text[i..];
                yield break;
            }

            int start = i;
            while (i < text.Length && !PythonText.IsSpace(text[i]))
            {
                i++;
            }

            yield return text[start..i];
        }
    }

    private static string Reversed(string text)
    {
        char[] characters = text.ToCharArray();
        Array.Reverse(characters);
        return new string(characters);
    }

    private static void CheckSeparator(string separator)
    {
        if (separator.Length == 0)
        {
            throw new EvaluationError("empty separator");
        }
    }
}
