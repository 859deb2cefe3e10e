namespace LoraServe.Tokenization.Models;

/// <summary>Which pairs of tokens merge, in which order, and into what: a hash table with open addressing.</summary>
internal sealed class MergeTable
{
    /// <summary>The rank of a pair that does not merge; every real rank is lower.</summary>
    public const int NoRank = int.MaxValue;

    private readonly ulong[] _keys;
    private readonly (int Rank, int Id)[] _values;
    private readonly int _shift;

    /// <summary>Builds the table; where a pair comes twice, the later one counts.</summary>
    public MergeTable(IReadOnlyCollection<Merge> merges)
    {
        int bits = Math.Max(4, 33 - System.Numerics.BitOperations.LeadingZeroCount((uint)merges.Count));
        _shift = 64 - bits;
        _keys = new ulong[1 << bits];
        _values = new (int, int)[1 << bits];
        Array.Fill(_keys, ulong.MaxValue);
        foreach (Merge merge in merges)
        {
            int slot = Slot(Key(merge.Left, merge.Right));
            _keys[slot] = Key(merge.Left, merge.Right);
            _values[slot] = (merge.Rank, merge.Id);
        }
    }

    /// <summary>The rank of a pair, lower first, or <see cref="NoRank"/>.</summary>
    public int Rank(int left, int right)
    {
        int slot = Slot(Key(left, right));
        return _keys[slot] == ulong.MaxValue ? NoRank : _values[slot].Rank;
    }

    /// <summary>The token that a pair merges into.</summary>
    public int Id(int left, int right) => _values[Slot(Key(left, right))].Id;

    private static ulong Key(int left, int right) => ((ulong)(uint)left << 32) | (uint)right;

    private int Slot(ulong key)
    {
        int mask = _keys.Length - 1;
        int slot = (int)((key * 0x9E3779B97F4A7C15UL) >> _shift);
        while (_keys[slot] != key && _keys[slot] != ulong.MaxValue)
        {
            slot = (slot + 1) & mask;
        }

        return slot;
    }
}

/// <summary>One rule: the tokens Left and Right, side by side, become Id; rules of lower rank go first.</summary>
internal readonly record struct Merge(int Left, int Right, int Rank, int Id);
