using LoraServe.Models.Forward;
using LoraServe.Serving.Requests;

namespace LoraServe.Serving.Store.Versions;

/// <summary>The versions that one request runs on, fixed when it came in.</summary>
internal sealed class AdapterStack
{
    private readonly (AdapterVersion Version, float Weight)[] _parts;

    public AdapterStack(params (AdapterVersion Version, float Weight)[] parts)
    {
        _parts = parts;
        VirtualRows = parts.Sum(part => part.Version.Manifest.VirtualRows);
        Served = [.. parts.Select(part => new ServedAdapter(part.Version.Manifest.Name, part.Version.Manifest.Version, part.Version.Digest, part.Weight))];
    }

    /// <summary>The base model alone.</summary>
    public static AdapterStack Empty { get; } = new();

    public int Count => _parts.Length;

    public IReadOnlyList<ServedAdapter> Served { get; }

    /// <summary>Rows that the adapters put ahead of a prompt.</summary>
    public int VirtualRows { get; }

    public ReadOnlySpan<(AdapterVersion Version, float Weight)> Parts => _parts;

    public (AdapterVersion Version, float Weight) this[int index] => _parts[index];

    /// <summary>The adapters that a pass before the one that answers is for. A stack can have one of them, and no virtual rows beside it.</summary>
    public IEnumerable<AdapterManifest> Scouted => _parts.Select(part => part.Version.Manifest).Where(manifest => manifest.ScalingPass is not null);

    /// <summary>Passes over a sequence's tokens, each of which takes pages.</summary>
    public int Passes => Scouted.Any() ? 2 : 1;

    /// <summary>Tokens that end an answer besides the model's.</summary>
    public IEnumerable<int> EndTokens => _parts.SelectMany(part => part.Version.Manifest.EndTokens);

    /// <summary>Whether a tenant owns one of them.</summary>
    public bool IsOwned => _parts.Any(part => part.Version.Manifest.Owner.Length > 0);

    public bool Contains(AdapterVersion version) => IndexOf(version) >= 0;

    /// <summary>Where a version is first; −1 where it is not.</summary>
    public int IndexOf(AdapterVersion version)
    {
        for (int i = 0; i < _parts.Length; i++)
        {
            if (_parts[i].Version == version)
            {
                return i;
            }
        }

        return -1;
    }

    /// <summary>Whether an adapter acts only from where its invocation tokens begin.</summary>
    public bool IsInvoked => _parts.Any(part => part.Version.Manifest.InvocationTokens.Length > 0);

    /// <summary>What a sequence's tokens are: virtual rows, then the given ones.</summary>
    public int[] WithVirtualRows(int[] tokens) => VirtualRows == 0 ? tokens : [.. VirtualRow.Tokens(VirtualRows), .. tokens];

    /// <summary>First position that each adapter acts on in a sequence that begins with a prompt, behind the virtual rows.</summary>
    public int[] ActiveFrom(ReadOnlySpan<int> prompt)
    {
        int[] from = new int[_parts.Length];
        for (int i = 0; i < from.Length; i++)
        {
            from[i] = AdapterUse.FirstPosition(_parts[i].Version.Manifest.InvocationTokens, prompt, VirtualRows);
        }

        return from;
    }

    /// <summary>How the adapters act on a sequence; all must be resident.</summary>
    public AdapterUse[] Uses(int[] activeFrom) =>
        [.. _parts.Select((part, i) => new AdapterUse(part.Version.State.Resident!, part.Weight, activeFrom[i]))];
}
