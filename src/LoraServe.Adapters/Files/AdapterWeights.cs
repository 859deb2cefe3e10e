using LoraServe.Compute.Files;
using LoraServe.Compute.Tensors;

namespace LoraServe.Adapters.Files;

/// <summary>The tensors of all files with an adapter's weights. They go with it.</summary>
internal sealed class AdapterWeights : IDisposable
{
    private readonly List<SafetensorsFile> _files = [];
    private readonly Dictionary<string, Tensor> _tensors = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _metadata = new(StringComparer.Ordinal);

    /// <summary>Parses the files.</summary>
    /// <exception cref="TensorFileException">One is damaged or hostile, or two have a tensor of one name.</exception>
    public AdapterWeights(AdapterFiles files)
    {
        try
        {
            foreach ((string path, byte[] bytes) in files.Weights)
            {
                Add(SafetensorsFile.Parse(bytes, path));
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The tensors by their names in the files.</summary>
    public IReadOnlyDictionary<string, Tensor> Tensors => _tensors;

    /// <summary>The files' free-form texts.</summary>
    public IReadOnlyDictionary<string, string> Metadata => _metadata;

    /// <inheritdoc />
    public void Dispose() => _files.ForEach(file => file.Dispose());

    private void Add(SafetensorsFile file)
    {
        _files.Add(file);
        foreach ((string name, Tensor tensor) in file.Tensors)
        {
            if (!_tensors.TryAdd(name, tensor))
            {
                throw new TensorFileException(file.Path, $"tensor '{name}' is in another of the adapter's files too; expected it once");
            }
        }

        foreach ((string key, string text) in file.Metadata)
        {
            _metadata[key] = text;
        }
    }
}
