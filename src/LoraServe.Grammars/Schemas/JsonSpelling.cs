using System.Globalization;
using System.Text;
using LoraServe.Grammars.Rules;

namespace LoraServe.Grammars.Schemas;

/// <summary>How JSON writes characters within quotes.</summary>
internal sealed class JsonSpelling
{
    private static readonly (char Character, char Letter)[] s_short = [('"', '"'), ('\\', '\\'), ('\b', 'b'), ('\f', 'f'), ('\n', 'n'), ('\r', 'r'), ('\t', 't')];
    private static readonly CharacterSet s_controls = CharacterSet.Of((0, 0x1F));
    private static readonly CharacterSet s_always = s_controls.Union(CharacterSet.Of("\"\\"));
    private static readonly Expression s_hexadecimal = Expression.Of(CharacterSet.Of(('0', '9'), ('a', 'f'), ('A', 'F')));

    private readonly CharacterSet _escaped;
    private readonly CharacterSet _numbered; // written by their number, but for those that have a letter

    /// <param name="avoided">Characters besides those that JSON forbids which are not written as they are.</param>
    public JsonSpelling(CharacterSet avoided)
    {
        _escaped = s_always.Union(avoided);
        _numbered = s_controls.Union(avoided);
        AnyCharacter = Expression.Either(
            Expression.Of(_escaped.Complement()),
            Expression.Then(
                Expression.Of("\\"),
                Expression.Either(
                    Expression.Of(CharacterSet.Of("\"\\/bfnrt").Except(avoided)),
                    Expression.Then(Expression.Of("u"), Expression.Either(Unit("0123456789abcefABCEF", null), Unit("dD", "01234567"), Pair())))));
    }

    /// <summary>As JSON has it.</summary>
    public static JsonSpelling Usual { get; } = new(CharacterSet.Of());

    /// <summary>Any one character, in any of the ways in which JSON can write it.</summary>
    public Expression AnyCharacter { get; }

    /// <summary>One character of a set, in one way only: as it is, or by the shortest escape where it must be escaped.</summary>
    public Expression One(CharacterSet set)
    {
        List<Expression> ways = [Expression.Of(set.Except(_escaped))];
        ways.AddRange(s_short.Where(pair => set.Contains(pair.Character)).Select(pair => Expression.Of($"\\{pair.Letter}")));
        foreach ((int first, int last) in set.Intersect(_numbered).Ranges)
        {
            ways.AddRange(Enumerable.Range(first, last - first + 1).Where(value => !s_short.Any(pair => pair.Character == value)).Select(value => Expression.Of(Escape(value))));
        }

        return Expression.Either(ways);
    }

    /// <summary>A text within quotes, every character written as <see cref="One"/> writes it.</summary>
    public string Quote(string text)
    {
        StringBuilder quoted = new("\"");
        foreach (char c in text)
        {
            int index = Array.FindIndex(s_short, pair => pair.Character == c);
            quoted.Append(index >= 0 ? $"\\{s_short[index].Letter}" : _numbered.Contains(c) ? Escape(c) : c.ToString());
        }

        return quoted.Append('"').ToString();
    }

    /// <summary>Any text within quotes but some, every character written as <see cref="One"/> writes it, so that none of them can come in another spelling.</summary>
    /// <param name="taken">The texts that it is not.</param>
    public Expression QuotedOtherThan(IReadOnlyCollection<string> taken) =>
        Expression.Then(Expression.Of("\""), RestOtherThan([.. taken.Select(text => text.EnumerateRunes().Select(rune => rune.Value).ToArray())], 0));

    /// <summary>What may follow the first characters of texts that are not to be: the closing quote is part of it.</summary>
    private Expression RestOtherThan(List<int[]> taken, int from)
    {
        List<Expression> ways = [];
        if (!taken.Exists(text => text.Length == from))
        {
            ways.Add(Expression.Of("\""));
        }

        ILookup<int, int[]> next = taken.Where(text => text.Length > from).ToLookup(text => text[from]);
        CharacterSet known = CharacterSet.Of(next.Select(group => (group.Key, group.Key)));
        ways.Add(Expression.Then(One(known.Complement()), new Expression.Repeat(One(CharacterSet.Any), 0, null), Expression.Of("\"")));
        foreach (IGrouping<int, int[]> group in next)
        {
            ways.Add(Expression.Then(One(CharacterSet.Of((group.Key, group.Key))), RestOtherThan([.. group], from + 1)));
        }

        return Expression.Either(ways);
    }

    private static string Escape(int value) => "\\u" + value.ToString("x4", CultureInfo.InvariantCulture);

    /// <summary>Four digits, the first two of some.</summary>
    private static Expression Unit(string firsts, string? seconds) => Expression.Then(
        Expression.Of(CharacterSet.Of(firsts)), seconds is null ? s_hexadecimal : Expression.Of(CharacterSet.Of(seconds)), s_hexadecimal, s_hexadecimal);

    /// <summary>The two units of a surrogate pair.</summary>
    private static Expression Pair() => Expression.Then(Unit("dD", "89abAB"), Expression.Of("\\u"), Unit("dD", "cdefCDEF"));
}
