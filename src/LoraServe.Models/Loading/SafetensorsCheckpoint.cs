using LoraServe.Compute.Files;
using LoraServe.Compute.Tensors;
using LoraServe.Models.Config;

namespace LoraServe.Models.Loading;

/// <summary>The weights in a directory: model.safetensors, or the shards that model.safetensors.index.json names.</summary>
internal sealed class SafetensorsCheckpoint : IDisposable
{
    private const string SingleFile = "model.safetensors";
    private const string IndexFile = "model.safetensors.index.json";
    private readonly Dictionary<string, SafetensorsFile> _shards = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Tensor> _tensors = new(StringComparer.Ordinal);
    private readonly HashSet<string> _absent = new(StringComparer.Ordinal);

    private SafetensorsCheckpoint()
    {
    }

    public static SafetensorsCheckpoint Open(string directory)
    {
        var checkpoint = new SafetensorsCheckpoint { Directory = directory, IndexPath = Path.Combine(directory, IndexFile) };
        try
        {
            if (File.Exists(Path.Combine(directory, SingleFile)))
            {
                foreach ((string name, Tensor tensor) in checkpoint.Shard(directory, SingleFile).Tensors)
                {
                    checkpoint._tensors.Add(name, tensor);
                }
            }
            else if (JsonFields.TryLoad(checkpoint.IndexPath) is { } index)
            {
                checkpoint.OpenShards(directory, index);
            }
            else
            {
                throw new ModelFormatException(directory, $"has no weights; expected {SingleFile} or {IndexFile}. {NoModel.Describe(directory)}");
            }

            return checkpoint;
        }
        catch
        {
            checkpoint.Dispose();
            throw;
        }
    }

    /// <summary>Where the list of shards lies, or would.</summary>
    public string IndexPath { get; private init; } = "";

    /// <summary>All tensors.</summary>
    public IReadOnlyDictionary<string, Tensor> Tensors => _tensors;

    /// <summary>Where it lies.</summary>
    public required string Directory { get; init; }

    /// <summary>What the index names and no shard holds.</summary>
    public IReadOnlySet<string> Absent => _absent;

    public void Dispose()
    {
        foreach (SafetensorsFile shard in _shards.Values)
        {
            shard.Dispose();
        }
    }

    // As elsewhere, the index says which files there are, and the files what they hold.
    private void OpenShards(string directory, JsonFields index)
    {
        JsonFields map = index.Object("weight_map") ?? throw index.Wrong("weight_map", "an object from tensor names to files");
        foreach ((string name, string? file) in map.Texts)
        {
            if (file is null || file != Path.GetFileName(file) || !file.EndsWith(".safetensors", StringComparison.Ordinal))
            {
                throw map.Wrong(name, "a .safetensors file in the same directory");
            }

            if (Shard(directory, file).Tensors.TryGetValue(name, out Tensor? tensor))
            {
                _tensors.Add(name, tensor);
            }
            else
            {
                _absent.Add(name);
            }
        }

        foreach ((string name, Tensor tensor) in _shards.Values.SelectMany(shard => shard.Tensors))
        {
            _tensors.TryAdd(name, tensor);
        }

        _absent.ExceptWith(_tensors.Keys);
    }

    private SafetensorsFile Shard(string directory, string file)
    {
        if (!_shards.TryGetValue(file, out SafetensorsFile? shard))
        {
            shard = SafetensorsFile.Open(Path.Combine(directory, file));
            _shards.Add(file, shard);
        }

        return shard;
    }
}
