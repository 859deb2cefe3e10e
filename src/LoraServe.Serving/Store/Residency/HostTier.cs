using LoraServe.Adapters;
using LoraServe.Serving.Store.Versions;
using Microsoft.Extensions.Caching.Memory;

namespace LoraServe.Serving.Store.Residency;

/// <summary>Parsed adapters in host memory, from which they become resident without reading files; least recently used ones go first.</summary>
internal sealed class HostTier(long sizeLimit) : IDisposable
{
    private readonly MemoryCache _cache = new(new MemoryCacheOptions { SizeLimit = sizeLimit });
    private readonly Lock _lock = new();
    private long _bytes;

    /// <summary>Bytes of all that is here.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>The parsed form of a version; null where it is not here.</summary>
    public Adapter? Find(AdapterVersion version) => _cache.Get<Adapter>(version);

    /// <summary>Takes a parsed form, if it fits.</summary>
    public void Keep(AdapterVersion version, Adapter parsed)
    {
        lock (_lock)
        {
            if (version.State.Host is not null)
            {
                return;
            }

            version.State.Host = parsed;
            Interlocked.Add(ref _bytes, parsed.ByteLength);
        }

        using ICacheEntry entry = _cache.CreateEntry(version);
        entry.Size = parsed.ByteLength;
        entry.Value = parsed;

        // Also called, like for all evictions a little later, when the cache has no room for it from the start.
        entry.RegisterPostEvictionCallback((_, _, _, _) => Forget(version, parsed));
    }

    /// <summary>Lets a version go.</summary>
    public void Drop(AdapterVersion version)
    {
        if (version.State.Host is { } parsed)
        {
            Forget(version, parsed);
            _cache.Remove(version);
        }
    }

    public void Dispose() => _cache.Dispose();

    private void Forget(AdapterVersion version, Adapter parsed)
    {
        lock (_lock)
        {
            if (version.State.Host == parsed)
            {
                version.State.Host = null;
                Interlocked.Add(ref _bytes, -parsed.ByteLength);
            }
        }
    }
}
