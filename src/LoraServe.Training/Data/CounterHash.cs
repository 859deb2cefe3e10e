namespace LoraServe.Training.Data;

/// <summary>Random numbers by counter: each has its place, whatever was drawn before or beside it, so that a run resumes anywhere.</summary>
internal static class CounterHash
{
    /// <summary>Purpose of the numbers that split rows; the epochs' orders use their own number, from 0.</summary>
    public const ulong Split = ulong.MaxValue;

    /// <summary>The number of a counter, evenly spread over all 64-bit integers.</summary>
    /// <param name="seed">Of the run.</param>
    /// <param name="purpose">Keeps sequences of one seed apart.</param>
    /// <param name="counter">The place.</param>
    public static ulong Of(int seed, ulong purpose, ulong counter) => Mix(Mix(Mix((ulong)seed) + purpose) + counter);

    /// <summary>Puts items in random order (Fisher and Yates).</summary>
    public static void Shuffle<T>(Span<T> items, int seed, ulong purpose)
    {
        for (int i = items.Length - 1; i > 0; i--)
        {
            int other = (int)Math.BigMul(Of(seed, purpose, (ulong)i), (ulong)i + 1, out _);
            (items[i], items[other]) = (items[other], items[i]);
        }
    }

    // SplitMix64's step and finaliser (Steele, Lea, Flood 2014): passes the usual statistical batteries on counters.
    private static ulong Mix(ulong z)
    {
        z += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
