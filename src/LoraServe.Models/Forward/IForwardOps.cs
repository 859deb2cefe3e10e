using LoraServe.Adapters.Edits;
using LoraServe.Compute.Memory;

namespace LoraServe.Models.Forward;

/// <summary>The operations that a forward pass is made of. Values are rows of float32.</summary>
/// <remarks>
/// T rows, D width of the residual stream, H query heads, G key/value heads, K head size, F feed-forward width, V vocabulary.
/// An implementation runs an operation at once, or may also record it.
/// </remarks>
/// <typeparam name="TValue">What stands for a result.</typeparam>
public interface IForwardOps<TValue>
{
    /// <summary>The tokens' rows of the table, with the adapters' edits of it, and virtual rows: [T, D].</summary>
    TValue Embed(Transformer weights, TokenBatch batch);

    /// <summary>Begins a layer: of what was made since the previous call only <paramref name="x"/>, the residual stream, is still needed.</summary>
    /// <returns>The residual stream, [T, D].</returns>
    TValue BeginLayer(int layer, TValue x);

    /// <summary>Root-mean-square norm of each row, with the adapters' edits of its gains: [T, D].</summary>
    TValue Norm(TValue x, NativeBuffer gains, NormSite site, RowGroup rows);

    /// <summary>A linear map with its bias and the adapters' edits: [T, outputs].</summary>
    TValue Linear(TValue x, LinearWeights map, RowGroup rows);

    /// <summary>Two linear maps of the same input.</summary>
    (TValue First, TValue Second) Linear(TValue x, LinearWeights first, LinearWeights second, RowGroup rows);

    /// <summary>Three linear maps of the same input.</summary>
    (TValue First, TValue Second, TValue Third) Linear(TValue x, LinearWeights first, LinearWeights second, LinearWeights third, RowGroup rows);

    /// <summary>A linear map's result, with what bottleneck adapters make of it, added to the residual stream, which it takes the place of: [T, D].</summary>
    TValue AddLinear(TValue residual, TValue x, LinearWeights map, RowGroup rows);

    /// <summary>Every head of every row turned by its position; takes the place of its argument.</summary>
    TValue Rotate(TValue heads, TokenBatch batch);

    /// <summary>Appends rotated keys and values, [T, G·K] each, to the sequences and attends to them with rotated queries: [T, H·K]. Rows of a prefix get its keys and values first.</summary>
    TValue Attend(TValue queries, TValue keys, TValue values, int layer, TokenBatch batch);

    /// <summary>silu(gate) · up: [T, F].</summary>
    TValue SiluMultiply(TValue gate, TValue up);

    /// <summary>The rows of a group: [group rows, D].</summary>
    TValue Gather(TValue x, RowGroup rows);
}
