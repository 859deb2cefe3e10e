using LoraServe.Adapters;
using LoraServe.Adapters.Resident;

namespace LoraServe.Serving.Store.Residency;

/// <summary>Loading adapters from their files into host memory and from there into compute form, off the engine's thread.</summary>
internal sealed partial class AdapterMemory
{
    private void StartLoad(AdapterVersion version)
    {
        version.IsLoading = true;
        version.Failure = null;
        version.ReservedBytes = Cost(version);
        _reserved += version.ReservedBytes;
        if (version == _beneficiary)
        {
            StopDraining();
        }

        _ = Task.Run(() => LoadAsync(version));
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
                parsed = ReadFiles(version);
                lock (_lock)
                {
                    KeepInHost(version, parsed);
                }
            }

            resident = ResidentAdapter.Create(parsed, _model);
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
        List<AdapterVersion> evicted = [];
        lock (_lock)
        {
            version.IsLoading = false;
            version.LastLoadSeconds = seconds;
            _reserved -= version.ReservedBytes;
            if (failure is not null)
            {
                version.Failure = (failure, _time.GetTimestamp());
            }
            else if (_isDisposed)
            {
                resident!.Dispose();
                return;
            }
            else
            {
                Place(version, resident!);
                DropIfRetired(version);
                Shrink(evicted);
            }
        }

        Tell(evicted);
        if (failure is null)
        {
            Loaded?.Invoke(tier, seconds);
            Happened?.Invoke(AdapterEventType.Resident, version, "");
        }
        else
        {
            Happened?.Invoke(AdapterEventType.LoadFailed, version, failure.Message);
        }

        Changed?.Invoke();
    }

    private Adapter ReadFiles(AdapterVersion version)
    {
        Adapter adapter = AdapterLoader.Load(version.Manifest.Path, _model, _limits);
        return adapter.Digest == version.Digest
            ? adapter
            : throw new AdapterFormatException($"its files have changed since it was published (digest {adapter.Digest}, expected {version.Digest}). Publish them as a new version.");
    }

    private void KeepInHost(AdapterVersion version, Adapter parsed)
    {
        if (!version.IsRetired && !_isDisposed)
        {
            _host.Keep(version, parsed);
        }
    }
}
