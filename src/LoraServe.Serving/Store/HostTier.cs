using LoraServe.Adapters;
using Microsoft.Extensions.Caching.Memory;

namespace LoraServe.Serving.Store;

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
            if (version.IsInHost)
            {
                return;
            }

            version.IsInHost = true;
            Interlocked.Add(ref _bytes, parsed.ByteLength);
        }

        using ICacheEntry entry = _cache.CreateEntry(version);
        entry.Size = parsed.ByteLength;
        entry.Value = parsed;

        // Also called when the cache has no room for it from the start.
        entry.RegisterPostEvictionCallback((_, _, _, _) =>
        {
            lock (_lock)
            {
                version.IsInHost = false;
                Interlocked.Add(ref _bytes, -parsed.ByteLength);
            }
        });
    }

    /// <summary>Lets a version go.</summary>
    public void Drop(AdapterVersion version) => _cache.Remove(version);

    public void Dispose() => _cache.Dispose();
}
