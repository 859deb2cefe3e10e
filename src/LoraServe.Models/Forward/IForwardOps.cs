using LoraServe.Adapters.Edits;

namespace LoraServe.Models.Forward;

/// <summary>The operations that a forward pass is made of. Values are rows of float32.</summary>
/// <remarks>
/// T rows, D width of the residual stream, H query heads, G key/value heads, K head size, F feed-forward width, V vocabulary.
/// Operations name places in the model; whoever implements them knows the weights there, and what a batch's adapters do to them.
/// An implementation runs an operation at once, or may also record it.
/// </remarks>
/// <typeparam name="TValue">What stands for a result.</typeparam>
public interface IForwardOps<TValue>
{
    /// <summary>The tokens' rows of the table, with the adapters' edits of it, and virtual rows: [T, D].</summary>
    TValue Embed(TokenBatch batch);

    /// <summary>Begins a layer: of what was made since the previous call only <paramref name="x"/>, the residual stream, is still needed.</summary>
    /// <returns>The residual stream, [T, D].</returns>
    TValue BeginLayer(int layer, TValue x);

    /// <summary>Root-mean-square norm of each row, with the adapters' edits of its gains: [T, D].</summary>
    TValue Norm(TValue x, NormSite site, RowGroup rows);

    /// <summary>Two linear maps of the same input, with their biases and the adapters' edits: [T, outputs] each.</summary>
    (TValue First, TValue Second) Linear(TValue x, Site first, Site second, RowGroup rows);

    /// <summary>Three linear maps of the same input.</summary>
    (TValue First, TValue Second, TValue Third) Linear(TValue x, Site first, Site second, Site third, RowGroup rows);

    /// <summary>
    /// A sublayer's last linear map, then a norm where there is one, with what bottleneck adapters make of the result, added to the
    /// residual stream, which it takes the place of: [T, D].
    /// </summary>
    TValue AddLinear(TValue residual, TValue x, Site site, NormSite? after, RowGroup rows);

    /// <summary>Every head of every row turned by its position; takes the place of its argument.</summary>
    TValue Rotate(TValue heads, TokenBatch batch);

    /// <summary>Appends rotated keys and values, [T, G·K] each, to the sequences and attends to them with rotated queries: [T, H·K]. Rows of a prefix get its keys and values first.</summary>
    TValue Attend(TValue queries, TValue keys, TValue values, int layer, TokenBatch batch);

    /// <summary>act(gate) · up, with the model's activation: [T, F].</summary>
    TValue GateMultiply(TValue gate, TValue up);

    /// <summary>The rows of a group: [group rows, D].</summary>
    TValue Gather(TValue x, RowGroup rows);

    /// <summary>The head with the adapters' edits: logits, [group rows, V].</summary>
    TValue Head(TValue x, RowGroup rows);
}
