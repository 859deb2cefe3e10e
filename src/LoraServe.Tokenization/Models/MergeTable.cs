using System.Numerics;
using System.Runtime.CompilerServices;

namespace LoraServe.Tokenization.Models;

/// <summary>Which pairs of tokens merge, in which order, and into what: a hash table with open addressing.</summary>
internal sealed class MergeTable
{
    /// <summary>The rank of a pair that does not merge; every real rank is lower.</summary>
    public const int NoRank = int.MaxValue;

    private Entry[] _entries = [];
    private int _shift;

    /// <summary>Makes room for a number of merges; the table grows when there are more.</summary>
    public MergeTable(int capacity) => Allocate(Math.Max(4, 33 - BitOperations.LeadingZeroCount((uint)capacity)));

    /// <summary>How many pairs merge.</summary>
    public int Count { get; private set; }

    /// <summary>Adds a rule: the tokens left and right, side by side, become id; rules of lower rank go first. Where a pair comes twice, the later rule counts.</summary>
    public void Add(int left, int right, int rank, int id)
    {
        if (2 * Count >= _entries.Length)
        {
            Grow();
        }

        ref Entry entry = ref Find(KeyOf(left, right));
        Count += entry.Key == 0 ? 1 : 0;
        entry = new Entry(KeyOf(left, right), rank, id);
    }

    /// <summary>The rank of a pair, lower first, or <see cref="NoRank"/>.</summary>
    public int Rank(int left, int right)
    {
        ref Entry entry = ref Find(KeyOf(left, right));
        return entry.Key == 0 ? NoRank : entry.Rank;
    }

    /// <summary>The token that a pair merges into.</summary>
    public int Id(int left, int right) => Find(KeyOf(left, right)).Id;

    /// <summary>All pairs by rank; those of one rank by their tokens.</summary>
    public IEnumerable<(int Left, int Right)> InOrder() => _entries.Where(entry => entry.Key != 0).OrderBy(entry => entry.Rank).ThenByDescending(entry => entry.Key)
        .Select(entry => ((int)(~entry.Key >> 32), (int)(uint)~entry.Key));

    /// <summary>Whether a condition holds for a token that some pair merges into.</summary>
    public bool AnyResult(Predicate<int> condition)
    {
        foreach (Entry entry in _entries)
        {
            if (entry.Key != 0 && condition(entry.Id))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>The pair as one number, which is never 0: ids are not negative.</summary>
    private static ulong KeyOf(int left, int right) => ~(((ulong)(uint)left << 32) | (uint)right);

    /// <summary>The entry of a pair, or the free one where it belongs.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ref Entry Find(ulong key)
    {
        Entry[] entries = _entries;
        int slot = (int)((key * HashMultiplier.Value) >> _shift);
        while (entries[slot].Key != key && entries[slot].Key != 0)
        {
            slot = (slot + 1) & (entries.Length - 1);
        }

        return ref entries[slot];
    }

    private void Grow()
    {
        Entry[] old = _entries;
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
        _entries = new Entry[1 << bits];
    }

    private readonly struct Entry(ulong key, int rank, int id)
    {
        public readonly ulong Key = key;
        public readonly int Rank = rank;
        public readonly int Id = id;
    }
}
