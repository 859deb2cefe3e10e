using System.Text;

namespace LoraServe.Grammars.Rules;

/// <summary>Cuts ranges of characters into runs of ranges of bytes: every combination of the bytes of a run is the UTF-8 of one character of the range.</summary>
internal static class Utf8Ranges
{
    /// <summary>The greatest characters of one, two and three bytes.</summary>
    private static readonly int[] s_greatest = [0x7F, 0x7FF, 0xFFFF];

    /// <summary>The runs of a range without surrogates, in ascending order.</summary>
    public static void Add(int first, int last, List<ByteSet[]> runs)
    {
        foreach (int greatest in s_greatest)
        {
            if (first <= greatest && greatest < last)
            {
                Add(first, greatest, runs);
                Add(greatest + 1, last, runs);
                return;
            }
        }

        // All have the same number of bytes. Cut where a byte that follows does not take all of its values.
        for (int bits = 6; bits <= 18 && last > 0x7F; bits += 6)
        {
            int low = (1 << bits) - 1;
            if ((first & ~low) != (last & ~low))
            {
                if ((first & low) != 0)
                {
                    Add(first, first | low, runs);
                    Add((first | low) + 1, last, runs);
                    return;
                }

                if ((last & low) != low)
                {
                    Add(first, (last & ~low) - 1, runs);
                    Add(last & ~low, last, runs);
                    return;
                }
            }
        }

        Span<byte> from = stackalloc byte[4];
        Span<byte> to = stackalloc byte[4];
        var run = new ByteSet[new Rune(first).EncodeToUtf8(from)];
        new Rune(last).EncodeToUtf8(to);
        for (int i = 0; i < run.Length; i++)
        {
            run[i] = ByteSet.Range(from[i], to[i]);
        }

        runs.Add(run);
    }
}
