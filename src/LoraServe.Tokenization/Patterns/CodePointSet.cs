using System.Globalization;

namespace LoraServe.Tokenization.Patterns;

/// <summary>A set of code points. Answers are kept in pages of 256 that are filled when first needed.</summary>
internal abstract class CodePointSet
{
    private readonly ulong[]?[] _pages = new ulong[]?[256];

    public static CodePointSet Any { get; } = Range(0, 0x10FFFF);

    public static CodePointSet Digit { get; } = Categories(UnicodeCategory.DecimalDigitNumber, UnicodeCategory.DecimalDigitNumber);

    public static CodePointSet HexDigit { get; } = Ranges(['0', '9', 'A', 'F', 'a', 'f']);

    public static CodePointSet Space { get; } = new PredicateSet(Text.CodePoints.IsWhiteSpace);

    public static CodePointSet Word { get; } = new PredicateSet(Text.CodePoints.IsWord);

    public static CodePointSet NotNewLine { get; } = new ComplementSet(Single('\n'));

    public static CodePointSet Single(int codePoint) => Range(codePoint, codePoint);

    public static CodePointSet Range(int first, int last) => Ranges([first, last]);

    /// <summary>Ranges, each by its first and its last code point.</summary>
    public static CodePointSet Ranges(ReadOnlySpan<int> bounds) => new RangeSet(bounds.ToArray());

    /// <summary>The categories from one to another, in the order of <see cref="UnicodeCategory"/>.</summary>
    public static CodePointSet Categories(UnicodeCategory first, UnicodeCategory last) => new CategorySet(first, last);

    public static CodePointSet Where(Func<int, bool> contains) => new PredicateSet(contains);

    public static CodePointSet Union(IReadOnlyList<CodePointSet> sets) => sets.Count == 1 ? sets[0] : new UnionSet(sets);

    public CodePointSet And(CodePointSet other) => new IntersectionSet(this, other);

    public CodePointSet Complement() => new ComplementSet(this);

    /// <summary>The set with every code point that differs from a member by case only.</summary>
    public CodePointSet IgnoringCase() => new FoldedSet(this);

    public bool Contains(int codePoint)
    {
        if (codePoint >= 0x10000)
        {
            return Test(codePoint);
        }

        ulong[] page = _pages[codePoint >> 8] ?? FillPage(codePoint >> 8);
        return (page[(codePoint >> 6) & 3] >> (codePoint & 63) & 1) != 0;
    }

    /// <summary>Works out membership, without the pages.</summary>
    protected abstract bool Test(int codePoint);

    private ulong[] FillPage(int index)
    {
        ulong[] page = new ulong[4];
        for (int i = 0; i < 256; i++)
        {
            if (Test((index << 8) | i))
            {
                page[i >> 6] |= 1UL << (i & 63);
            }
        }

        // Two threads may fill the same page; both fill it alike.
        return _pages[index] = page;
    }

    private sealed class RangeSet(int[] bounds) : CodePointSet
    {
        protected override bool Test(int codePoint)
        {
            for (int i = 0; i < bounds.Length; i += 2)
            {
                if (codePoint >= bounds[i] && codePoint <= bounds[i + 1])
                {
                    return true;
                }
            }

            return false;
        }
    }

    private sealed class CategorySet(UnicodeCategory first, UnicodeCategory last) : CodePointSet
    {
        protected override bool Test(int codePoint) =>
            CharUnicodeInfo.GetUnicodeCategory(codePoint) is var category && category >= first && category <= last;
    }

    private sealed class PredicateSet(Func<int, bool> contains) : CodePointSet
    {
        protected override bool Test(int codePoint) => contains(codePoint);
    }

    private sealed class UnionSet(IReadOnlyList<CodePointSet> sets) : CodePointSet
    {
        protected override bool Test(int codePoint)
        {
            foreach (CodePointSet set in sets)
            {
                if (set.Test(codePoint))
                {
                    return true;
                }
            }

            return false;
        }
    }

    private sealed class IntersectionSet(CodePointSet left, CodePointSet right) : CodePointSet
    {
        protected override bool Test(int codePoint) => left.Test(codePoint) && right.Test(codePoint);
    }

    private sealed class ComplementSet(CodePointSet inner) : CodePointSet
    {
        protected override bool Test(int codePoint) => !inner.Test(codePoint);
    }

    private sealed class FoldedSet(CodePointSet inner) : CodePointSet
    {
        protected override bool Test(int codePoint)
        {
            if (inner.Test(codePoint))
            {
                return true;
            }

            int upper = Text.Case.ToUpper(codePoint);
            int lower = Text.Case.ToLower(codePoint);
            return inner.Test(upper) || inner.Test(lower) || inner.Test(Text.Case.ToLower(upper)) || inner.Test(Text.Case.ToUpper(lower));
        }
    }
}
