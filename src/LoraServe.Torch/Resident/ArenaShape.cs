using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Folding;

namespace LoraServe.Torch.Resident;

/// <summary>Where an adapter has low-rank pairs of its own, and of which rank: adapters of one shape lie in one arena.</summary>
internal sealed class ArenaShape : IEquatable<ArenaShape>
{
    // Grouped products want rows of whole 16 bytes: ranks are rounded up to that, and maps of another width left out.
    private const int Step = 8;

    private readonly string _key;

    private ArenaShape(IReadOnlyList<SiteEdits> sites)
    {
        Sites = [.. sites.Select(site => new Place(site.Module.Site, PaddedRank(site), site.Module.Inputs, site.Module.Outputs))];
        _key = string.Join(' ', Sites.Select(place => $"{place.Site}:{place.Rank}"));
    }

    /// <summary>The maps.</summary>
    public IReadOnlyList<Place> Sites { get; }

    /// <summary>Elements of one adapter.</summary>
    public long Elements => Sites.Sum(place => (long)place.Rank * (place.Inputs + place.Outputs));

    /// <summary>The shape of an adapter's edits; null where none of them is a pair that can lie with others'.</summary>
    public static ArenaShape? Of(IEnumerable<SiteEdits> edits) => edits.Where(IsPair).ToArray() is { Length: > 0 } pairs ? new ArenaShape(pairs) : null;

    /// <summary>Whether edits of a site have a low-rank pair of the adapter's own, which nothing but a factor scales, of whole steps.</summary>
    public static bool IsPair(SiteEdits site) => site is { A: not null, Shared: null, ProductScale: null, RankScalings: null } && site.Module.Site != Site.Embedding
        && site.Module.Inputs % Step == 0 && site.Module.Outputs % Step == 0;

    /// <inheritdoc />
    public bool Equals(ArenaShape? other) => other?._key == _key;

    /// <inheritdoc />
    public override bool Equals(object? obj) => Equals(obj as ArenaShape);

    /// <inheritdoc />
    public override int GetHashCode() => _key.GetHashCode(StringComparison.Ordinal);

    private static int PaddedRank(SiteEdits site) => (site.A!.Rows + Step - 1) / Step * Step;

    /// <summary>A map.</summary>
    /// <param name="Site">Which.</param>
    /// <param name="Rank">The pair's, rounded up.</param>
    /// <param name="Inputs">The map's inputs.</param>
    /// <param name="Outputs">The map's outputs.</param>
    internal readonly record struct Place(Site Site, int Rank, int Inputs, int Outputs);
}
