using LoraServe.Adapters.Edits;
using LoraServe.Compute.Tensors;
using LoraServe.Models.Config;
using LoraServe.Models.Spec;

namespace LoraServe.Models.Loading;

/// <summary>What a checkpoint holds, held against what config.json says of it: the checkpoint counts, and the contradiction is said.</summary>
/// <param name="checkpoint">The weights.</param>
/// <param name="names">What they are called.</param>
/// <param name="config">config.json, which gets the warnings.</param>
internal sealed class StoredParameters(SafetensorsCheckpoint checkpoint, ParameterNames names, JsonFields config)
{
    // What older versions of transformers stored along with the parameters.
    private static readonly string[] s_computed = [".inv_freq", ".cos_cached", ".sin_cached", ".masked_bias", ".attn.bias", ".attention.bias"];
    private const string TiedField = "tie_word_embeddings";
    private readonly string _table = names.Table + ".weight";
    private readonly string _head = names.Head + ".weight";
    private readonly HashSet<string> _asked = new(StringComparer.Ordinal);

    /// <summary>Names of stored tensors that nobody asked for, without those that are no parameters.</summary>
    public IEnumerable<string> Unasked => checkpoint.Names.Where(name => !_asked.Contains(name) && !Array.Exists(s_computed, name.EndsWith)).Order(StringComparer.Ordinal);

    /// <summary>Finds a tensor; where only one of head and table is stored, it is both.</summary>
    public Tensor? Find(string name)
    {
        _asked.Add(name);
        if (checkpoint.FindTensor(name) is { } tensor)
        {
            return tensor;
        }

        return name == _table ? Find(_head)
            : checkpoint.Absent.Contains(name) ? throw new ModelFormatException(checkpoint.IndexPath, $"names tensor '{name}', which no shard holds, and the model needs it; download the model again")
            : null;
    }

    /// <summary>The spec with the head and the biases that are stored.</summary>
    /// <param name="spec">By config.json.</param>
    public TransformerSpec Believe(TransformerSpec spec) => spec with { TiedHead = IsTied(spec), Biases = [.. Biases(spec)] };

    private bool IsTied(TransformerSpec spec)
    {
        (Tensor? table, Tensor? head) = (checkpoint.FindTensor(_table), checkpoint.FindTensor(_head));
        if (spec.TiedHead && table is not null && head is not null)
        {
            _asked.Add(_head);
            if (!AreEqual(table, head, spec))
            {
                config.Warn(TiedField, $"but '{_head}' is stored and differs from '{_table}'. What is stored is used.");
                return false;
            }
        }

        if (!config.Has(TiedField) && table is not null && head is null && !checkpoint.Absent.Contains(_head))
        {
            return true;
        }

        return spec.TiedHead;
    }

    private IEnumerable<SiteRole> Biases(TransformerSpec spec)
    {
        foreach (SiteRole role in spec.Linears)
        {
            string name = names.Of(new Site(0, role)) + ".bias";
            bool isStored = checkpoint.FindTensor(name) is not null;
            if (isStored && !spec.Biases.Contains(role))
            {
                config.Warnings.Add($"{config.File}: gives {role} no bias, but '{name}' is stored. What is stored is used.");
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
