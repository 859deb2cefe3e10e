using LoraServe.Serving.Requests;
using LoraServe.Serving.Store.Files;
using LoraServe.Serving.Store.Versions;

namespace LoraServe.Serving.Store.Names;

/// <summary>Which names are in service. A change is made of names that were read, and takes their place only if no other has meanwhile.</summary>
/// <param name="folder">Where the list of names lies; null: they are not known after a restart.</param>
/// <param name="time">The clock, for the names of damaged lists.</param>
internal sealed class LocalNames(StoreFolder? folder, TimeProvider time)
{
    private readonly Lock _lock = new();
    private readonly NamesFile? _file = folder is null ? null : new NamesFile(folder.FullPath, time);
    private long _generation;

    /// <inheritdoc cref="NamesFile.IsUncertain"/>
    public bool IsUncertain => _file?.IsUncertain == true;

    /// <inheritdoc cref="NamesFile.HasDamaged"/>
    public bool HasDamaged => _file?.HasDamaged == true;

    /// <summary>The names to begin with. What is damaged is set aside.</summary>
    /// <inheritdoc cref="NamesFile.Load" path="/param"/>
    /// <inheritdoc cref="NamesFile.Load" path="/exception"/>
    public NamesList Load(Func<AdapterManifest, string, string> takeIn)
    {
        NamesList list = _file?.Load(takeIn) ?? NamesList.Empty;
        _generation = list.Names.Generation;
        return list;
    }

    /// <summary>Puts names in place of those that they were made of: on the disk first, then in service.</summary>
    /// <param name="next">The changed names.</param>
    /// <param name="serve">Puts them in service. No other change comes before it has returned, and nothing may fail in it.</param>
    /// <returns>False, and nothing changed: another change came first, so that this one is to be made of its names, or refused.</returns>
    /// <exception cref="EngineException">They cannot be written, and nothing changed.</exception>
    public bool TrySwap(AdapterNames next, Action<AdapterNames> serve)
    {
        lock (_lock)
        {
            if (next.Generation != _generation)
            {
                return false;
            }

            AdapterNames written = next with { Generation = _generation + 1 };
            folder?.Write("write its list of adapters", () => _file!.Save(written));
            serve(written);
            _generation = written.Generation;
            return true;
        }
    }
}
