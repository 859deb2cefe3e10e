using LoraServe.Tokenization.Text;

namespace LoraServe.Tokenization.Normalizers;

/// <summary>Unicode's normalization forms (UAX #15).</summary>
/// <param name="compatibility">By compatibility decompositions: NFKC and NFKD.</param>
/// <param name="compose">Compose again: NFC and NFKC.</param>
internal sealed class UnicodeNormalizer(bool compatibility, bool compose) : Normalizer
{
    private const int HangulFirst = 0xAC00;
    private const int HangulCount = 11172;
    private const int LeadFirst = 0x1100;
    private const int LeadCount = 19;
    private const int VowelFirst = 0x1161;
    private const int VowelCount = 21;
    private const int TailBase = 0x11A7;
    private const int TailCount = 28;

    public override TextPiece Normalize(in TextPiece piece)
    {
        // Below these all is as it should be: nothing composes with what precedes, nothing decomposes.
        char unchanged = compatibility ? '\u00A0' : compose ? '\u0300' : '\u00C0';
        if (piece.Span.IndexOfAnyExceptInRange('\0', (char)(unchanged - 1)) < 0)
        {
            return piece;
        }

        List<(int CodePoint, int Change)> changes = Decompose(piece.Span);
        return PieceTransform.Apply(piece, compose ? Compose(changes) : changes);
    }

    private List<(int CodePoint, int Change)> Decompose(ReadOnlySpan<char> text)
    {
        UnicodeTables tables = UnicodeTables.Instance;
        List<(int CodePoint, int Change)> result = new(text.Length);
        List<int> parts = [];
        int lastStarter = 0;
        for (int i = 0; i < text.Length;)
        {
            int codePoint = CodePoints.At(text, i, out int units);
            i += units;
            parts.Clear();
            Decompose(tables, codePoint, parts);
            for (int p = 0; p < parts.Count; p++)
            {
                if (tables.CombiningClass(parts[p]) == 0)
                {
                    Order(tables, result, lastStarter);
                    lastStarter = result.Count;
                }

                result.Add((parts[p], p == 0 ? 0 : 1));
            }
        }

        Order(tables, result, lastStarter);
        return result;
    }

    private void Decompose(UnicodeTables tables, int codePoint, List<int> parts)
    {
        if (codePoint is >= HangulFirst and < HangulFirst + HangulCount)
        {
            int index = codePoint - HangulFirst;
            parts.Add(LeadFirst + index / (VowelCount * TailCount));
            parts.Add(VowelFirst + index % (VowelCount * TailCount) / TailCount);
            if (index % TailCount != 0)
            {
                parts.Add(TailBase + index % TailCount);
            }
        }
        else if (codePoint >= 0xA0 && tables.Decompose(codePoint, compatibility) is { } decomposition)
        {
            foreach (int part in decomposition)
            {
                Decompose(tables, part, parts);
            }
        }
        else
        {
            parts.Add(codePoint);
        }
    }

    /// <summary>Sorts the marks after the last starter by their class; marks of one class keep their order.</summary>
    private static void Order(UnicodeTables tables, List<(int CodePoint, int Change)> result, int starter)
    {
        int from = starter < result.Count && tables.CombiningClass(result[starter].CodePoint) == 0 ? starter + 1 : starter;
        if (result.Count - from < 2)
        {
            return;
        }

        (int, int)[] marks = [.. result.Skip(from).OrderBy(mark => tables.CombiningClass(mark.CodePoint))];
        for (int i = 0; i < marks.Length; i++)
        {
            result[from + i] = marks[i];
        }
    }

    private static List<(int CodePoint, int Change)> Compose(List<(int CodePoint, int Change)> source)
    {
        UnicodeTables tables = UnicodeTables.Instance;
        List<(int CodePoint, int Change)> result = new(source.Count);
        int starter = -1;
        int lastClass = -1;
        foreach ((int codePoint, int change) in source)
        {
            int combiningClass = tables.CombiningClass(codePoint);
            // A mark is blocked from the starter by one of the same or a higher class in between.
            if (starter >= 0 && (lastClass < 0 || lastClass < combiningClass))
            {
                int composed = ComposePair(tables, result[starter].CodePoint, codePoint);
                if (composed >= 0)
                {
                    result[starter] = (composed, result[starter].Change + change - 1);
                    continue;
                }
            }

            if (combiningClass == 0)
            {
                starter = result.Count;
                lastClass = -1;
            }
            else
            {
                lastClass = combiningClass;
            }

            result.Add((codePoint, change));
        }

        return result;
    }

    private static int ComposePair(UnicodeTables tables, int first, int second)
    {
        if (first is >= LeadFirst and < LeadFirst + LeadCount && second is >= VowelFirst and < VowelFirst + VowelCount)
        {
            return HangulFirst + ((first - LeadFirst) * VowelCount + (second - VowelFirst)) * TailCount;
        }

        if (first is >= HangulFirst and < HangulFirst + HangulCount && (first - HangulFirst) % TailCount == 0
            && second is > TailBase and < TailBase + TailCount)
        {
            return first + (second - TailBase);
        }

        return tables.Compose(first, second);
    }
}
