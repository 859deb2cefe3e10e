using System.Numerics;
using System.Runtime.CompilerServices;

namespace LoraServe.Tokenization.Models;

/// <summary>A hash table with open addressing, whose keys are numbers other than 0.</summary>
/// <typeparam name="TValue">What goes with a key.</typeparam>
internal struct NumberTable<TValue>
    where TValue : struct
{
    private int _shift;

    /// <summary>Makes an empty table of two to the power of <paramref name="bits"/> places.</summary>
    public NumberTable(int bits) => Allocate(bits);

    /// <summary>All places; those with key 0 are free.</summary>
    public Entry[] Entries { get; private set; } = [];

    /// <summary>The place of a key, or the free one where it belongs.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly ref Entry Find(ulong key)
    {
        Entry[] entries = Entries;
        int slot = (int)((key * HashMultiplier.Value) >> _shift);
        while (entries[slot].Key != key && entries[slot].Key != 0)
        {
            slot = (slot + 1) & (entries.Length - 1);
        }

        return ref entries[slot];
    }

    /// <summary>Doubles the places where half of them are taken. Places that were found before are no longer the table's.</summary>
    /// <param name="count">How many are taken.</param>
    public void Reserve(int count)
    {
        if (2 * count < Entries.Length)
        {
            return;
        }

        Entry[] old = Entries;
        Allocate(BitOperations.TrailingZeroCount(old.Length) + 1);
        foreach (Entry entry in old)
        {
            if (entry.Key != 0)
            {
                Find(entry.Key) = entry;
            }
        }
    }

    private void Allocate(int bits)
    {
        _shift = 64 - bits;
        Entries = new Entry[1 << bits];
    }

    /// <summary>A place.</summary>
    /// <param name="key">The key.</param>
    /// <param name="value">What goes with it.</param>
    public readonly struct Entry(ulong key, TValue value)
    {
        public readonly ulong Key = key;
        public readonly TValue Value = value;
    }
}
