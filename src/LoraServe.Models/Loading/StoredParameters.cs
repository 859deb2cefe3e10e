using LoraServe.Adapters.Edits;
using LoraServe.Compute.Files;
using LoraServe.Compute.Tensors;
using LoraServe.Models.Config;
using LoraServe.Models.Loading.Packed;
using LoraServe.Models.Spec;

namespace LoraServe.Models.Loading;

/// <summary>What a checkpoint holds, held against what config.json says of it: the checkpoint counts, and the contradiction is said.</summary>
internal sealed class StoredParameters
{
    private const string TiedField = "tie_word_embeddings";
    private const string Weight = ".weight";

    // What older versions of transformers stored along with the parameters.
    private static readonly string[] s_computed = [".inv_freq", ".cos_cached", ".sin_cached", ".masked_bias", ".attn.bias", ".attention.bias"];

    private readonly SafetensorsCheckpoint _checkpoint;
    private readonly ParameterNames _names;
    private readonly JsonFields _config;
    private readonly IReadOnlyDictionary<string, Tensor> _tensors;
    private readonly IPackedForm? _packed;
    private readonly string _table;
    private readonly string _head;
    private readonly Dictionary<string, Tensor?> _found = new(StringComparer.Ordinal);
    private readonly HashSet<string> _used = new(StringComparer.Ordinal);

    /// <param name="checkpoint">The weights.</param>
    /// <param name="names">What they are called.</param>
    /// <param name="config">config.json, which gets the warnings.</param>
    /// <exception cref="TensorFileException">Two tensors have one name but for what wraps them.</exception>
    /// <exception cref="ModelFormatException">The weights are stored in a form that cannot be read.</exception>
    public StoredParameters(SafetensorsCheckpoint checkpoint, ParameterNames names, JsonFields config)
    {
        _checkpoint = checkpoint;
        _names = names;
        _config = config;
        _tensors = new PlainNames("", names.Layers, names.OfNoLayer).Of(checkpoint.Tensors, checkpoint.Directory, config.Warnings);
        _packed = PackedForms.Of(config, checkpoint.Directory, _tensors, names.Of(new Site(0, SiteRole.Output)) + Weight);
        (_table, _head) = (names.Table + Weight, names.Head + Weight);
    }

    /// <summary>Names of stored tensors that are part of nothing that was asked for, without those that are no parameters.</summary>
    public IEnumerable<string> Unasked => _tensors.Keys.Where(name => !_used.Contains(name) && !Array.Exists(s_computed, name.EndsWith)).Order(StringComparer.Ordinal);

    /// <summary>Finds a parameter; where only one of head and table is stored, it is both.</summary>
    /// <exception cref="ModelFormatException">The index names it and no shard holds it, or the parts that it is stored in do not fit.</exception>
    public Tensor? Find(string name)
    {
        if (Stored(name) is { } tensor)
        {
            return tensor;
        }

        return name == _table ? Stored(_head)
            : _checkpoint.Absent.Contains(name) ? throw new ModelFormatException(_checkpoint.IndexPath, $"names tensor '{name}', which no shard holds, and the model needs it; download the model again")
            : null;
    }

    private Tensor? Stored(string name)
    {
        if (_found.TryGetValue(name, out Tensor? found))
        {
            return found;
        }

        _used.Add(name);
        found = _tensors.GetValueOrDefault(name);
        if (_packed is not null && name.EndsWith(Weight, StringComparison.Ordinal))
        {
            string path = name[..^Weight.Length];
            _used.UnionWith(_packed.Parts.Select(part => $"{path}.{part}"));
            found = _packed.Read(path, new PackedParts(_tensors, _checkpoint.Directory)) ?? found;
        }

        _found[name] = found;
        return found;
    }

    /// <summary>The spec with the head and the biases that are stored.</summary>
    /// <param name="spec">By config.json.</param>
    /// <exception cref="ModelFormatException">The checkpoint is of another kind.</exception>
    public TransformerSpec Believe(TransformerSpec spec)
    {
        if (_tensors.Keys.FirstOrDefault(name => name.Contains(".lora_A.", StringComparison.Ordinal)) is { } adapter)
        {
            throw new ModelFormatException(_checkpoint.Directory, $"tensor '{_tensors[adapter].Name}' is an adapter's, which is not merged; expected a base model alone: merge the adapter, or save the base and the adapter apart");
        }

        return spec with { TiedHead = IsTied(spec), Biases = [.. Biases(spec)] };
    }

    private bool IsTied(TransformerSpec spec)
    {
        (Tensor? table, Tensor? head) = (Stored(_table), Stored(_head));
        if (spec.TiedHead && table is not null && head is not null && !AreEqual(table, head, spec))
        {
            _config.Warn(TiedField, $"but '{_head}' is stored and differs from '{_table}'. What is stored is used.");
            return false;
        }

        return spec.TiedHead || (!_config.Has(TiedField) && table is not null && head is null && !_checkpoint.Absent.Contains(_head));
    }

    private IEnumerable<SiteRole> Biases(TransformerSpec spec)
    {
        foreach (SiteRole role in spec.Linears)
        {
            string name = _names.Of(new Site(0, role)) + ".bias";
            bool isStored = _tensors.ContainsKey(name);
            if (isStored && !spec.Biases.Contains(role))
            {
                _config.Warnings.Add($"{_config.File}: gives {role} no bias, but '{name}' is stored. What is stored is used.");
            }

            if (isStored || spec.Biases.Contains(role))
            {
                yield return role;
            }
        }
    }

    private static bool AreEqual(Tensor first, Tensor second, TransformerSpec spec)
    {
        long[] shape = [spec.VocabularySize, spec.Width];
        if (!first.Shape.AsSpan().SequenceEqual(shape) || !second.Shape.AsSpan().SequenceEqual(shape))
        {
            return false;
        }

        float[] row = new float[first.RowLength];
        float[] other = new float[first.RowLength];
        for (long i = 0; i < first.RowCount; i++)
        {
            first.CopyRow(i, row);
            second.CopyRow(i, other);
            if (!row.AsSpan().SequenceEqual(other))
            {
                return false;
            }
        }

        return true;
    }
}
