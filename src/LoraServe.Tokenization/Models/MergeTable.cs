using System.Numerics;

namespace LoraServe.Tokenization.Models;

/// <summary>Which pairs of tokens merge, in which order, and into what.</summary>
internal sealed class MergeTable
{
    /// <summary>The rank of a pair that does not merge; every real rank is lower.</summary>
    public const int NoRank = int.MaxValue;

    private NumberTable<Merge> _merges;

    /// <summary>Makes room for a number of merges; the table grows when there are more.</summary>
    public MergeTable(int capacity) => _merges = new(Math.Max(4, 33 - BitOperations.LeadingZeroCount((uint)capacity)));

    /// <summary>How many pairs merge.</summary>
    public int Count { get; private set; }

    /// <summary>Adds a rule: the tokens left and right, side by side, become id; rules of lower rank go first. Where a pair comes twice, the later rule counts.</summary>
    public void Add(int left, int right, int rank, int id)
    {
        _merges.Reserve(Count);
        ulong key = KeyOf(left, right);
        ref NumberTable<Merge>.Entry entry = ref _merges.Find(key);
        Count += entry.Key == 0 ? 1 : 0;
        entry = new(key, new Merge(rank, id));
    }

    /// <summary>The rank of a pair, lower first, or <see cref="NoRank"/>.</summary>
    public int Rank(int left, int right)
    {
        ref NumberTable<Merge>.Entry entry = ref _merges.Find(KeyOf(left, right));
        return entry.Key == 0 ? NoRank : entry.Value.Rank;
    }

    /// <summary>The token that a pair merges into.</summary>
    public int Id(int left, int right) => _merges.Find(KeyOf(left, right)).Value.Id;

    /// <summary>All pairs by rank; those of one rank by their tokens.</summary>
    public IEnumerable<(int Left, int Right)> InOrder() => _merges.Entries.Where(entry => entry.Key != 0).OrderBy(entry => entry.Value.Rank).ThenByDescending(entry => entry.Key)
        .Select(entry => ((int)(~entry.Key >> 32), (int)(uint)~entry.Key));

    /// <summary>Whether a condition holds for a token that some pair merges into.</summary>
    public bool AnyResult(Predicate<int> condition)
    {
        foreach (NumberTable<Merge>.Entry entry in _merges.Entries)
        {
            if (entry.Key != 0 && condition(entry.Value.Id))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>The pair as one number, which is never 0: ids are not negative.</summary>
    private static ulong KeyOf(int left, int right) => ~(((ulong)(uint)left << 32) | (uint)right);

    private readonly record struct Merge(int Rank, int Id);
}
