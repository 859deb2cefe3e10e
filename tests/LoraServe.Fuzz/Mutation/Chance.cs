namespace LoraServe.Fuzz.Mutation;

/// <summary>What mutators draw; the same for the same seed.</summary>
internal static class Chance
{
    /// <summary>Numbers at which sizes, counts and indices go wrong.</summary>
    private static readonly long[] s_awkward =
    [
        0, 1, -1, 2, 3, 7, 8, 16, 31, 63, 64, 127, 128, 255, 256, 1000, 4096, 32_767, 32_768, 65_535, 65_536, 1 << 20, (1 << 24) - 1,
        int.MaxValue - 1, int.MaxValue, int.MaxValue + 1L, uint.MaxValue, uint.MaxValue + 1L, 1L << 40, 1L << 53, 1L << 61, 1L << 62, long.MaxValue, long.MinValue, int.MinValue, -2,
    ];

    /// <summary>A generator of a case: neighbouring numbers give unrelated ones.</summary>
    public static Random Of(long seed)
    {
        // SplitMix64's finish (Steele, Lea and Flood 2014).
        ulong mixed = (ulong)seed + 0x9E37_79B9_7F4A_7C15;
        mixed = (mixed ^ (mixed >> 30)) * 0xBF58_476D_1CE4_E5B9;
        mixed = (mixed ^ (mixed >> 27)) * 0x94D0_49BB_1331_11EB;
        return new Random((int)(mixed >> 32));
    }

    /// <summary>One of several.</summary>
    public static T Pick<T>(this Random random, IReadOnlyList<T> choices) => choices[random.Next(choices.Count)];

    /// <summary>True once in <paramref name="many"/> times.</summary>
    public static bool OneIn(this Random random, int many) => random.Next(many) == 0;

    /// <summary>A number that is often at a bound of something, or near <paramref name="value"/>.</summary>
    public static long Awkward(this Random random, long value) => random.Next(4) switch
    {
        0 => unchecked(value + random.Next(-2, 3)),
        1 => unchecked(value * random.Pick([2, 3, -1, 1000])),
        _ => random.Pick(s_awkward),
    };
}
