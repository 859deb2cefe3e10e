using LoraServe.Adapters;
using LoraServe.Adapters.Merging;
using LoraServe.Adapters.Peft;
using LoraServe.Serving.Store.Residency;

namespace LoraServe.Serving.Store;

public sealed partial class AdapterStore
{
    /// <summary>The version that a name, <c>name@3</c> or alias means now; null where none is published under it.</summary>
    public AdapterRecord? Find(string reference)
    {
        lock (_lock)
        {
            return _catalog.Find(reference) is { } version ? Record(version) : null;
        }
    }

    /// <summary>Publishes a weighted combination of adapters as the next version of a name. Its files are kept like an upload's.</summary>
    /// <param name="name">The name.</param>
    /// <param name="inputs">The adapters and their weights.</param>
    /// <param name="combination">How they are combined.</param>
    /// <param name="options">How it is published; null for the defaults.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="EngineException">An input is unknown or cannot be combined, or the result is refused.</exception>
    public async Task<PublishResult> PublishCombinationAsync(
        string name, IReadOnlyList<AdapterReference> inputs, CombinationOptions combination, PublishOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        ArgumentNullException.ThrowIfNull(combination);
        await using AdapterUpload upload = BeginUpload(name, options);
        var versions = new List<(AdapterVersion Version, double Weight)>();
        foreach (AdapterReference input in inputs)
        {
            versions.Add((await FindAsync(input.Name, cancellationToken).ConfigureAwait(false), input.Weight));
        }

        string folder = Path.Combine(UploadsFolder(_options.StoreFolder!), $"{Guid.NewGuid():n}-combined");
        try
        {
            await Task.Run(() => Combine(versions, combination, folder), cancellationToken).ConfigureAwait(false);
            foreach (string file in Directory.GetFiles(folder))
            {
                await upload.WriteFileAsync(file, cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            if (Directory.Exists(folder))
            {
                Directory.Delete(folder, recursive: true);
            }
        }

        return await upload.CompleteAsync(cancellationToken).ConfigureAwait(false);
    }

    private void Combine(List<(AdapterVersion Version, double Weight)> versions, CombinationOptions combination, string folder)
    {
        WeightedAdapter[] adapters = [.. versions.Select(input =>
            new WeightedAdapter(AdapterLoader.Load(input.Version.Manifest.Path, _model, _options.AdapterLimits), input.Weight))];
        try
        {
            PeftWriter.Write(folder, AdapterCombination.Combine(adapters, _model, combination), _model, isBoundToBase: true);
        }
        catch (ArgumentException exception)
        {
            throw new EngineException(EngineError.InvalidRequest, $"The adapters cannot be combined: {exception.Message}", exception);
        }
    }
}
