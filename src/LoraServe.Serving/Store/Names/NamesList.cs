namespace LoraServe.Serving.Store.Names;

/// <summary>What the list on disk says.</summary>
/// <param name="Names">The names that it holds.</param>
/// <param name="Faults">A sentence for each thing that is wrong with it, and where it was set aside.</param>
/// <param name="SaysWhatIsKept">Whether it names files that were to stay when their versions were taken out of service; lists once did not.</param>
internal sealed record NamesList(AdapterNames Names, IReadOnlyList<string> Faults, bool SaysWhatIsKept)
{
    /// <summary>Where there is no list.</summary>
    public static NamesList Empty { get; } = new(AdapterNames.Empty, [], SaysWhatIsKept: true);
}
