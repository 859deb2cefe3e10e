using LoraServe.Compute.Tensors;
using LoraServe.Models.Spec;
using LoraServe.Models.Forward;
using LoraServe.Torch.Weights;

namespace LoraServe.Torch.Forward;

/// <summary>The pages of the key/value cache in a device's memory: a row of slots a layer, of which a page is sixteen adjacent ones.</summary>
internal sealed class TorchPages : IDisposable
{
    private readonly Tensor _all;
    private readonly Tensor[] _keys;
    private readonly Tensor[] _values;

    /// <summary>Zeroed pages.</summary>
    /// <param name="weights">The model's.</param>
    /// <param name="pageCount">How many.</param>
    /// <param name="type">F32, or F16 for 16 bits: of bfloat16 where the model computes in that.</param>
    public TorchPages(TorchWeights weights, int pageCount, ElementType type)
    {
        TransformerSpec spec = weights.Spec;
        ArgumentOutOfRangeException.ThrowIfLessThan(pageCount, 1);
        PageCount = pageCount;
        ByteLength = pageCount * BytesPerPage(spec, type);
        ScalarType elements = type == ElementType.F32 ? ScalarType.Float32 : weights.Type == ScalarType.BFloat16 ? ScalarType.BFloat16 : ScalarType.Float16;
        _all = torch.zeros([2L * spec.LayerCount, (long)pageCount * KvPage.Tokens, spec.KeyValueHeads, spec.HeadSize], dtype: elements, device: weights.Device);
        _keys = [.. Enumerable.Range(0, spec.LayerCount).Select(layer => _all[2 * layer])];
        _values = [.. Enumerable.Range(0, spec.LayerCount).Select(layer => _all[(2 * layer) + 1])];
    }

    /// <summary>Number of pages.</summary>
    public int PageCount { get; }

    /// <summary>Size of all.</summary>
    public long ByteLength { get; }

    /// <summary>Size of one.</summary>
    /// <exception cref="ArgumentException">Another type than F32 and F16.</exception>
    public static long BytesPerPage(TransformerSpec spec, ElementType type) => 2L * spec.LayerCount * KvPage.Tokens * spec.KeyValueHeads * spec.HeadSize * type switch
    {
        ElementType.F32 => sizeof(float),
        ElementType.F16 => sizeof(ushort),
        _ => throw new ArgumentException($"the cache cannot be of {type}; expected F32 or F16", nameof(type)),
    };

    /// <summary>Copies a page's content.</summary>
    public void CopyPage(int source, int target)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using IDisposable noGrad = torch.no_grad();
        _all.narrow(1, (long)target * KvPage.Tokens, KvPage.Tokens).copy_(_all.narrow(1, (long)source * KvPage.Tokens, KvPage.Tokens));
    }

    /// <summary>Stores keys and values of new positions and gives all that there are.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="slots">The positions' slots, int64 [T].</param>
    /// <param name="keys">[T, G, K].</param>
    /// <param name="values">[T, G, K].</param>
    /// <returns>[slots, G, K] each.</returns>
    public (Tensor Keys, Tensor Values) Append(int layer, Tensor slots, Tensor keys, Tensor values)
    {
        _keys[layer].index_copy_(0, slots, keys.to(_all.dtype));
        _values[layer].index_copy_(0, slots, values.to(_all.dtype));
        return (_keys[layer], _values[layer]);
    }

    /// <inheritdoc />
    public void Dispose()
    {
        foreach (Tensor tensor in _keys.Concat(_values).Append(_all))
        {
            tensor.Dispose();
        }
    }
}
