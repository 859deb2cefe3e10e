using System.Collections.Immutable;
using LoraServe.Serving.Store.Versions;

namespace LoraServe.Serving.Store.Names;

/// <summary>A name: whose it is and what was published under it. It stays its owner's when nothing of it is in service any more.</summary>
/// <param name="Owner">The tenant; empty: the operator; null where it is not known, because lists once did not say: whoever publishes next.</param>
/// <param name="LastVersion">The number of its last version, in service or not: a number never means two things.</param>
/// <param name="Versions">Those in service, by number.</param>
internal sealed record NameEntry(string? Owner, int LastVersion, ImmutableArray<AdapterVersion> Versions)
{
    /// <summary>A name that nobody has used.</summary>
    public static NameEntry New { get; } = new(null, 0, []);
}
