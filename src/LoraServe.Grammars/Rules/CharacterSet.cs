namespace LoraServe.Grammars.Rules;

/// <summary>A set of Unicode characters (scalar values: no surrogates), as ranges in ascending order that do not touch.</summary>
internal sealed class CharacterSet
{
    /// <summary>The greatest character.</summary>
    public const int Last = 0x10FFFF;

    private const int FirstSurrogate = 0xD800;
    private const int LastSurrogate = 0xDFFF;

    private readonly (int First, int Last)[] _ranges;

    private CharacterSet((int First, int Last)[] ranges) => _ranges = ranges;

    /// <summary>Every character.</summary>
    public static CharacterSet Any { get; } = Of((0, Last));

    public ReadOnlySpan<(int First, int Last)> Ranges => _ranges;

    /// <summary>The characters of some ranges, both ends included; surrogates are left out.</summary>
    public static CharacterSet Of(params IEnumerable<(int First, int Last)> ranges)
    {
        List<(int First, int Last)> merged = [];
        foreach ((int first, int last) in ranges.SelectMany(WithoutSurrogates).OrderBy(range => range.First))
        {
            if (merged.Count > 0 && first <= merged[^1].Last + 1)
            {
                merged[^1] = (merged[^1].First, Math.Max(merged[^1].Last, last));
            }
            else
            {
                merged.Add((first, last));
            }
        }

        return new CharacterSet([.. merged]);
    }

    /// <summary>These characters.</summary>
    public static CharacterSet Of(string characters) => Of(characters.EnumerateRunes().Select(rune => (rune.Value, rune.Value)));

    public CharacterSet Union(CharacterSet other) => Of(_ranges.Concat(other._ranges));

    /// <summary>All others.</summary>
    public CharacterSet Complement()
    {
        List<(int, int)> gaps = [];
        int next = 0;
        foreach ((int first, int last) in _ranges)
        {
            gaps.Add((next, first - 1));
            next = last + 1;
        }

        gaps.Add((next, Last));
        return Of(gaps.Where(gap => gap.Item1 <= gap.Item2));
    }

    /// <summary>Those that are in both.</summary>
    public CharacterSet Intersect(CharacterSet other) => Complement().Union(other.Complement()).Complement();

    public CharacterSet Except(CharacterSet other) => Intersect(other.Complement());

    public bool Contains(int character) => Array.Exists(_ranges, range => range.First <= character && character <= range.Last);

    private static IEnumerable<(int First, int Last)> WithoutSurrogates((int First, int Last) range)
    {
        if (range.First < FirstSurrogate)
        {
            yield return (range.First, Math.Min(range.Last, FirstSurrogate - 1));
        }

        if (range.Last > LastSurrogate)
        {
            yield return (Math.Max(range.First, LastSurrogate + 1), range.Last);
        }
    }
}
