using LoraServe.Tokenization.Text;

namespace LoraServe.Tokenization.Patterns;

/// <summary>Reads a class in brackets: literals, ranges, escapes, classes inside, and the intersection <c>&amp;&amp;</c>.</summary>
internal sealed class CodePointClassParser(string text, Func<string, FormatException> refused)
{
    private const int MaxDepth = 50;

    private int _depth;

    /// <summary>Reads the class at the opening bracket and moves past it.</summary>
    /// <param name="at">The place in the expression.</param>
    /// <param name="ignoreCase">Fold before a negation, so that [^a] leaves out A as well.</param>
    public CodePointSet Parse(ref int at, bool ignoreCase)
    {
        if (++_depth > MaxDepth)
        {
            throw refused($"classes are nested more than {MaxDepth} deep");
        }

        at++;
        bool negative = at < text.Length && text[at] == '^';
        at += negative ? 1 : 0;
        CodePointSet? intersection = null;
        List<CodePointSet> items = [];
        for (bool first = true; ; first = false)
        {
            if (at >= text.Length)
            {
                throw refused("'[' is never closed");
            }

            if (text[at] == ']' && !first)
            {
                at++;
                break;
            }

            if (text[at] == '[' && TryParsePosix(ref at, out CodePointSet? posix))
            {
                items.Add(posix!);
            }
            else if (text[at] == '[')
            {
                items.Add(Parse(ref at, ignoreCase));
            }
            else if (string.CompareOrdinal(text, at, "&&", 0, 2) == 0)
            {
                at += 2;
                intersection = Both(intersection, items);
                items = [];
            }
            else if (text[at] == '\\' && !CodePointEscape.IsLiteral(text, at))
            {
                items.Add(CodePointEscape.Parse(text, ref at, refused));
            }
            else
            {
                items.Add(ParseRange(ref at));
            }
        }

        _depth--;
        CodePointSet set = Both(intersection, items);
        set = ignoreCase ? set.IgnoringCase() : set;
        return negative ? set.Complement() : set;
    }

    private static CodePointSet Both(CodePointSet? left, List<CodePointSet> items)
    {
        CodePointSet right = CodePointSet.Union(items);
        return left is null ? right : left.And(right);
    }

    private CodePointSet ParseRange(ref int at)
    {
        int low = ParseLiteral(ref at);
        bool isRange = at + 1 < text.Length && text[at] == '-' && text[at + 1] is not (']' or '[')
            && (text[at + 1] != '\\' || CodePointEscape.IsLiteral(text, at + 1));
        if (!isRange)
        {
            return CodePointSet.Single(low);
        }

        at++;
        int high = ParseLiteral(ref at);
        return high < low ? throw refused("the ends of a range are the wrong way round") : CodePointSet.Range(low, high);
    }

    private int ParseLiteral(ref int at)
    {
        if (text[at] == '\\')
        {
            if (at + 1 < text.Length && text[at + 1] == 'b')
            {
                at += 2;
                return '\b';
            }

            return CodePointEscape.ParseLiteral(text, ref at, refused);
        }

        int codePoint = CodePoints.At(text, at, out int units);
        at += units;
        return codePoint;
    }

    private bool TryParsePosix(ref int at, out CodePointSet? set)
    {
        set = null;
        int end = string.CompareOrdinal(text, at, "[:", 0, 2) == 0 ? text.IndexOf(":]", at, StringComparison.Ordinal) : -1;
        if (end < 0)
        {
            return false;
        }

        string name = text[(at + 2)..end];
        bool negative = name.StartsWith('^');
        set = UnicodeProperty.TryGet(negative ? name[1..] : name) ?? throw refused($"the character class '{name}' is not known");
        set = negative ? set.Complement() : set;
        at = end + 2;
        return true;
    }
}
