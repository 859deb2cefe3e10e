using LoraServe.Adapters;
using LoraServe.Models.Forward;
using LoraServe.Serving.Requests;
using LoraServe.Serving.Store.Versions;

namespace LoraServe.Serving.Store.Residency;

/// <summary>Loading adapters from their files into host memory and from there into compute form, off the engine's thread.</summary>
internal sealed partial class AdapterMemory
{
    private const int ConcurrentLoads = 4;

    private readonly SemaphoreSlim _loads = new(ConcurrentLoads);

    private void StartLoad(AdapterVersion version) => _ = Task.Run(() => LoadAsync(version));

    // Takes all places: what waits for one never begins, and what has begun is done.
    private void StopLoading()
    {
        for (int i = 0; i < ConcurrentLoads; i++)
        {
            _loads.Wait();
        }
    }

    private async Task LoadAsync(AdapterVersion version)
    {
        await _loads.WaitAsync().ConfigureAwait(false);
        long begun = _time.GetTimestamp();
        ResidentAdapter? resident = null;
        EngineException? failure = null;
        AdapterTier tier = AdapterTier.Host;
        try
        {
            Adapter? parsed = _host.Find(version);
            if (parsed is null)
            {
                tier = AdapterTier.Disk;
                parsed = version.Make is { } make ? await make().ConfigureAwait(false) : _files.Open(version.Digest, version.Manifest.ShownPath);
                _host.Keep(version, parsed);
            }

            resident = _model.Place(parsed);
        }
        catch (Exception e)
        {
            failure = new EngineException(EngineError.AdapterUnavailable, $"Adapter '{version}' could not be loaded: {e.Message}", e);
        }
        finally
        {
            _loads.Release();
        }

        double seconds = _time.GetElapsedTime(begun).TotalSeconds;
        lock (_lock)
        {
            if (_isDisposed)
            {
                resident?.Dispose();
                return;
            }

            version.State.LastLoadSeconds = seconds;
            if (failure is null)
            {
                Place(version, resident!);
            }
            else
            {
                _ledger.LoadFailed(version, failure, _time.GetTimestamp());
                _news.Enqueue((AdapterEventType.LoadFailed, version, failure.Message));
            }
        }

        if (failure is null)
        {
            Loaded?.Invoke(tier, seconds);
        }

        Settle();
    }
}
