using LoraServe.Serving.Cache;

namespace LoraServe.Serving.Scheduling;

/// <summary>Pages of the key/value cache that one pass over a sequence's tokens fills, in order. There is a second pass, run first, where an adapter has a classifier.</summary>
/// <param name="salts">What they are keyed by besides tokens.</param>
/// <param name="capacity">Most pages.</param>
internal sealed class PassPages(PageSalts salts, int capacity)
{
    /// <summary>What they are keyed by besides tokens.</summary>
    public PageSalts Salts => salts;

    /// <summary>The pages; never grows while generating.</summary>
    public List<int> Pages { get; } = new(capacity);

    /// <summary>The prefix cache's node of the last page that it has seen.</summary>
    public long PrefixNode { get; set; } = PrefixCache.Root;
}
