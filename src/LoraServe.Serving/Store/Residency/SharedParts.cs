using LoraServe.Adapters.Resident;

namespace LoraServe.Serving.Store.Residency;

/// <summary>Counts the memory that resident adapters have in common: each part once, however many use it.</summary>
internal sealed class SharedParts
{
    private readonly Dictionary<string, int> _users = [];

    /// <summary>Bytes of all parts in use.</summary>
    public long ByteLength { get; private set; }

    /// <summary>Bytes of several versions together, as if nothing else were resident.</summary>
    public static long Together(IEnumerable<AdapterVersion> versions)
    {
        var apart = new SharedParts();
        long own = 0;
        foreach (AdapterVersion version in versions)
        {
            own += version.ResidentBytes;
            apart.Add(version);
        }

        return own + apart.ByteLength;
    }

    /// <summary>Bytes that would come with a version: of the parts that nobody uses yet.</summary>
    public long Missing(AdapterVersion version)
    {
        long missing = 0;
        foreach (SharedPart part in version.Manifest.SharedParts)
        {
            missing += _users.ContainsKey(part.Key) ? 0 : part.Bytes;
        }

        return missing;
    }

    /// <summary>Counts a version that has become resident.</summary>
    public void Add(AdapterVersion version)
    {
        foreach (SharedPart part in version.Manifest.SharedParts)
        {
            int users = _users.GetValueOrDefault(part.Key);
            _users[part.Key] = users + 1;
            ByteLength += users == 0 ? part.Bytes : 0;
        }
    }

    /// <summary>Discounts a version that has left.</summary>
    public void Remove(AdapterVersion version)
    {
        foreach (SharedPart part in version.Manifest.SharedParts)
        {
            if (--_users[part.Key] == 0)
            {
                _users.Remove(part.Key);
                ByteLength -= part.Bytes;
            }
        }
    }
}
