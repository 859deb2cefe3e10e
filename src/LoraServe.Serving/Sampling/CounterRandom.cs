namespace LoraServe.Serving.Sampling;

/// <summary>Random numbers by counter: each place of each choice has its own number, whatever was drawn before or beside it.</summary>
internal static class CounterRandom
{
    /// <summary>A number from 0 up to, not including, 1.</summary>
    public static double Draw(ulong seed, int choice, int position) =>
        (Mix(Mix(seed) + ((ulong)(uint)choice << 32) + (uint)position) >> 11) * (1.0 / (1UL << 53));

    // SplitMix64's step and finaliser (Steele, Lea, Flood 2014): passes the usual statistical batteries on counters.
    private static ulong Mix(ulong z)
    {
        z += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
