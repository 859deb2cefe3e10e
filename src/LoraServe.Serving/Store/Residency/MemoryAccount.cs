using LoraServe.Models.Forward;
using LoraServe.Serving.Store.Versions;

namespace LoraServe.Serving.Store.Residency;

/// <summary>Counts the memory of resident adapters: what is each one's own, and what they have in common once, however many use it.</summary>
internal sealed class MemoryAccount
{
    private readonly Dictionary<string, (int Users, long Bytes)> _shared = [];
    private long _ownBytes;
    private long _sharedBytes;

    /// <summary>Bytes of all that is in the account.</summary>
    public long Bytes => _ownBytes + _sharedBytes;

    /// <summary>Bytes that would come with a version: its own, and those of the parts that nobody uses yet.</summary>
    public long Cost(AdapterVersion version)
    {
        long cost = version.ResidentBytes;
        foreach (SharedPart part in version.Manifest.SharedParts)
        {
            cost += _shared.ContainsKey(part.Key) ? 0 : part.Bytes;
        }

        return cost;
    }

    /// <summary>Bytes that would come back without all that another account holds, which is part of this one.</summary>
    public long BytesOf(MemoryAccount some)
    {
        long bytes = some._ownBytes;
        foreach ((string key, (int users, long partBytes)) in some._shared)
        {
            bytes += _shared[key].Users == users ? partBytes : 0;
        }

        return bytes;
    }

    /// <summary>Counts a version.</summary>
    public void Add(AdapterVersion version)
    {
        _ownBytes += version.ResidentBytes;
        foreach (SharedPart part in version.Manifest.SharedParts)
        {
            int users = _shared.GetValueOrDefault(part.Key).Users;
            _shared[part.Key] = (users + 1, part.Bytes);
            _sharedBytes += users == 0 ? part.Bytes : 0;
        }
    }

    /// <summary>Discounts a version that is in the account.</summary>
    public void Remove(AdapterVersion version)
    {
        _ownBytes -= version.ResidentBytes;
        foreach (SharedPart part in version.Manifest.SharedParts)
        {
            int users = _shared[part.Key].Users;
            if (users > 1)
            {
                _shared[part.Key] = (users - 1, part.Bytes);
            }
            else
            {
                _shared.Remove(part.Key);
                _sharedBytes -= part.Bytes;
            }
        }
    }

    /// <summary>Discounts everything.</summary>
    public void Clear()
    {
        _shared.Clear();
        _ownBytes = 0;
        _sharedBytes = 0;
    }
}
