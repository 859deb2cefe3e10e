using LoraServe.Models.Forward;
using LoraServe.Serving.Requests;

namespace LoraServe.Serving.Store.Versions;

/// <summary>The versions that one request runs on, fixed when it came in.</summary>
internal sealed class AdapterStack
{
    private readonly (AdapterVersion Version, float Weight, int? Task)[] _parts;
    private readonly AdapterVersion[] _versions;

    /// <summary>Adapters that each add their own change.</summary>
    public AdapterStack(params (AdapterVersion Version, float Weight, int? Task)[] parts)
    {
        _parts = parts;
        _versions = [.. parts.Select(part => part.Version)];
        VirtualRows = parts.Sum(part => part.Version.Manifest.VirtualRows);
        Served = ServedOf(parts);
    }

    /// <summary>Adapters that act as one.</summary>
    /// <param name="inputs">What was combined: what answers say.</param>
    /// <param name="combined">What it came to: what runs.</param>
    public AdapterStack((AdapterVersion Version, float Weight, int? Task)[] inputs, AdapterVersion combined)
        : this((combined, 1, null)) => Served = ServedOf(inputs);

    /// <summary>The base model alone.</summary>
    public static AdapterStack Empty { get; } = new();

    public int Count => _versions.Length;

    public IReadOnlyList<ServedAdapter> Served { get; }

    /// <summary>Rows that the adapters put ahead of a prompt.</summary>
    public int VirtualRows { get; }

    public ReadOnlySpan<AdapterVersion> Versions => _versions;

    /// <summary>What acts from where: digest, with its task where that is not the first, weight and first position. For keys of what it computes.</summary>
    public (string Digest, float Weight, int ActiveFrom)[] Acting(int[] activeFrom) =>
        [.. _parts.Select((part, i) => (part.Task is null or 0 ? part.Version.Digest : $"{part.Version.Digest}#{part.Task}", part.Weight, activeFrom[i]))];

    /// <summary>The adapters that a pass before the one that answers is for. A stack can have one of them, and no virtual rows beside it.</summary>
    public IEnumerable<AdapterManifest> Scouted => _versions.Select(version => version.Manifest).Where(manifest => manifest.ScalingPass is not null);

    /// <summary>Passes over a sequence's tokens, each of which takes pages.</summary>
    public int Passes => Scouted.Any() ? 2 : 1;

    /// <summary>Tokens that end an answer besides the model's.</summary>
    public IEnumerable<int> EndTokens => _versions.SelectMany(version => version.Manifest.EndTokens);

    /// <summary>Whether a tenant owns one of them.</summary>
    public bool IsOwned => _versions.Any(version => version.Manifest.Owner.Length > 0);

    public bool Contains(AdapterVersion version) => IndexOf(version) >= 0;

    /// <summary>Where a version is first; −1 where it is not.</summary>
    public int IndexOf(AdapterVersion version) => Array.IndexOf(_versions, version);

    /// <summary>Whether an adapter acts only from where its invocation tokens begin.</summary>
    public bool IsInvoked => _versions.Any(version => version.Manifest.InvocationTokens.Length > 0);

    /// <summary>What a sequence's tokens are: virtual rows, then the given ones.</summary>
    public int[] WithVirtualRows(int[] tokens) => VirtualRows == 0 ? tokens : [.. VirtualRow.Tokens(VirtualRows), .. tokens];

    /// <summary>First position that each adapter acts on in a sequence that begins with a prompt, behind the virtual rows.</summary>
    public int[] ActiveFrom(ReadOnlySpan<int> prompt)
    {
        int[] from = new int[_versions.Length];
        for (int i = 0; i < from.Length; i++)
        {
            from[i] = AdapterUse.FirstPosition(_versions[i].Manifest.InvocationTokens, prompt, VirtualRows);
        }

        return from;
    }

    /// <summary>How the adapters act on a sequence; all must be resident.</summary>
    public AdapterUse[] Uses(int[] activeFrom) =>
        [.. _parts.Select((part, i) => new AdapterUse(part.Version.State.Resident!, part.Weight, activeFrom[i], part.Task ?? 0))];

    private static ServedAdapter[] ServedOf((AdapterVersion Version, float Weight, int? Task)[] parts) =>
        [.. parts.Select(part => new ServedAdapter(part.Version.Manifest.Name, part.Version.Manifest.Version, part.Version.Digest, part.Weight, part.Task))];
}
