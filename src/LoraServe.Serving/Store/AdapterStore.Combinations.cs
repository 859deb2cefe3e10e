using LoraServe.Adapters;
using LoraServe.Adapters.Merging;
using LoraServe.Adapters.Methods.Lora;
using LoraServe.Serving.Requests;
using LoraServe.Serving.Store.Files;
using LoraServe.Serving.Store.Versions;

namespace LoraServe.Serving.Store;

public sealed partial class AdapterStore
{
    /// <summary>Publishes a weighted combination of adapters as the next version of a name. Its files are kept like an upload's.</summary>
    /// <param name="who">For whom: who may use the inputs and publish under the name.</param>
    /// <param name="name">The name.</param>
    /// <param name="inputs">The adapters and their weights.</param>
    /// <param name="combination">How they are combined.</param>
    /// <param name="options">How it is published; null for the defaults.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="EngineException">An input is unknown or cannot be combined, or the result is refused.</exception>
    public async Task<PublishResult> PublishCombinationAsync(
        Principal who, string name, IReadOnlyList<AdapterReference> inputs, CombinationOptions combination, PublishOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        ArgumentNullException.ThrowIfNull(combination);
        _merges.CheckCount(inputs.Count);
        await using AdapterUpload upload = BeginUpload(who, name, options);
        var versions = new List<(AdapterVersion Version, double Weight)>();
        foreach (AdapterReference input in inputs)
        {
            versions.Add((await FindAsync(who, input.Name, cancellationToken).ConfigureAwait(false), input.Weight));
        }

        CombinationOptions bounded = _merges.Bound([.. versions.Select(input => input.Version.Manifest)], combination);
        string folder = _files.NewUpload();
        try
        {
            await _merges.RunAsync(who.Tenant, () => Combine(versions, bounded, folder, cancellationToken), cancellationToken).ConfigureAwait(false);
            foreach (string file in Directory.GetFiles(folder))
            {
                await upload.WriteFileAsync(file, cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            LocalFiles.Delete(folder);
        }

        return await upload.CompleteAsync(cancellationToken).ConfigureAwait(false);
    }

    private void Combine(List<(AdapterVersion Version, double Weight)> versions, CombinationOptions combination, string folder, CancellationToken cancellationToken)
    {
        var read = new Dictionary<string, Adapter>(StringComparer.Ordinal);
        foreach ((AdapterVersion version, _) in versions.DistinctBy(input => input.Version.Digest))
        {
            cancellationToken.ThrowIfCancellationRequested();
            read.Add(version.Digest, Read(version));
        }

        WeightedAdapter[] adapters = [.. versions.Select(input => new WeightedAdapter(read[input.Version.Digest], input.Weight))];
        try
        {
            PeftWriter.Write(folder, AdapterCombination.Combine(adapters, _model, combination, cancellationToken), _model, isBoundToBase: true);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw StoreFolder.StorageFailed("write the combination", failure);
        }
    }

    private Adapter Read(AdapterVersion version) => Available(version, () => _files.Open(version.Digest, version.Manifest.ShownPath));
}
