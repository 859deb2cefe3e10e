namespace LoraServe.Tokenization.Models;

/// <summary>What the keys of hash tables with open addressing are multiplied by: random, so that no file can be made whose keys all fall into one place.</summary>
internal static class HashMultiplier
{
    public static readonly ulong Value = (ulong)Random.Shared.NextInt64() << 1 | 1;
}
