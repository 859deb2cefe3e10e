namespace LoraServe.Serving.Store.Files;

/// <summary>When the files of each name were looked at last, and what they were. Not synchronised.</summary>
/// <param name="time">The clock.</param>
internal sealed class Looks(TimeProvider time)
{
    private readonly Dictionary<string, (long At, string Stamp)> _looks = new(StringComparer.Ordinal);

    /// <summary>How long a look is good for: what a request may be behind the disk, and all that looking costs.</summary>
    public static TimeSpan Interval { get; } = TimeSpan.FromSeconds(2);

    /// <summary>Whether it is time to look at the files of a name again.</summary>
    public bool IsDue(string name) => !_looks.TryGetValue(name, out (long At, string Stamp) look) || time.GetElapsedTime(look.At) >= Interval;

    /// <summary>Notes a look.</summary>
    /// <param name="name">The name.</param>
    /// <param name="stamp">What its files are now; empty where they cannot be looked at.</param>
    /// <param name="published">What they were when its latest version was published.</param>
    /// <returns>Whether they are neither those nor those of the last look: files that were refused are not tried twice.</returns>
    public bool Note(string name, string stamp, string published)
    {
        string known = _looks.TryGetValue(name, out (long At, string Stamp) look) && look.Stamp.Length > 0 ? look.Stamp : published;
        _looks[name] = (time.GetTimestamp(), stamp.Length > 0 ? stamp : known);
        return stamp.Length > 0 && stamp != known && stamp != published;
    }
}
