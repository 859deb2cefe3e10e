using LoraServe.Fuzz.Seeds;

namespace LoraServe.Fuzz.Targets;

/// <summary>A reader of files that strangers bring, with files to damage.</summary>
internal abstract class FuzzTarget
{
    /// <summary>What it is asked for by.</summary>
    public abstract string Name { get; }

    /// <summary>Files that it reads.</summary>
    public IReadOnlyList<Seed> Seeds => field ??= [.. MakeSeeds()];

    /// <summary>Bytes that a small file may make its reader allocate, whether or not they are kept.</summary>
    public virtual long AllowedBytes => 256 << 20;

    /// <summary>Reads what lies in a folder, and uses it as whoever loads it would.</summary>
    /// <param name="folder">Holds a seed's files, which may be damaged.</param>
    public abstract void Read(string folder);

    /// <summary>Makes or finds the files.</summary>
    protected abstract IEnumerable<Seed> MakeSeeds();
}
