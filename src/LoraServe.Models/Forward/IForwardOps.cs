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
    /// <summary>The tokens' rows of the table, and where positions are learned those of their positions, with the adapters' edits of them, and virtual rows: [T, D].</summary>
    TValue Embed(TokenBatch batch);

    /// <summary>Begins a layer: of what was made since the previous call only <paramref name="x"/>, the residual stream, is still needed.</summary>
    /// <returns>The residual stream, [T, D].</returns>
    TValue BeginLayer(int layer, TValue x);

    /// <summary>The model's norm of each row, or of each part of a row that has as many elements as the norm has gains, with the adapters' edits of it: of x's shape.</summary>
    TValue Norm(TValue x, NormSite site, RowGroup rows);

    /// <summary>A linear map, with its bias and the adapters' edits: [T, outputs].</summary>
    TValue Linear(TValue x, Site site, RowGroup rows);

    /// <summary>Two linear maps of the same input, with their biases and the adapters' edits: [T, outputs] each.</summary>
    (TValue First, TValue Second) Linear(TValue x, Site first, Site second, RowGroup rows);

    /// <summary>Three linear maps of the same input.</summary>
    (TValue First, TValue Second, TValue Third) Linear(TValue x, Site first, Site second, Site third, RowGroup rows);

    /// <summary>What one map gives for queries, keys and values, apart from each other: [T, H·K], [T, G·K], [T, G·K].</summary>
    (TValue Queries, TValue Keys, TValue Values) SplitHeads(TValue fused);

    /// <summary>What one map gives for an MLP's gate and its widened row, apart from each other: [T, F] each.</summary>
    (TValue Gate, TValue Up) SplitGate(TValue fused);

    /// <summary>
    /// A sublayer's last linear map, then a norm where there is one, with what bottleneck adapters make of the result, added to the
    /// residual stream by the model's share, which it takes the place of: [T, D].
    /// </summary>
    TValue AddLinear(TValue residual, TValue x, Site site, NormSite? after, RowGroup rows);

    /// <summary>
    /// A layer's experts in place of an MLP: the router's scores of each row, through the best of them each the expert's gated MLP, added by
    /// their shares; then as the end of <see cref="AddLinear"/>: [T, D].
    /// </summary>
    TValue AddExperts(TValue residual, TValue x, int layer, NormSite? after, RowGroup rows);

    /// <summary>Every head of every row turned by its position, as its layer turns; takes the place of its argument.</summary>
    TValue Rotate(TValue heads, int layer, TokenBatch batch);

    /// <summary>Appends rotated keys and values, [T, G·K] each, to the sequences and attends to them with rotated queries: [T, H·K]. Rows of a prefix get its keys and values first.</summary>
    TValue Attend(TValue queries, TValue keys, TValue values, int layer, TokenBatch batch);

    /// <summary>
    /// Adds to each row, by its adapters' weights, what its queries read from keys and values that adapters bring for that place, with a softmax
    /// of their own (<see cref="PromptAttention"/>); <paramref name="target"/> is as wide as all heads together, and may be overwritten.
    /// </summary>
    TValue AttendPrompts(TValue target, TValue queries, int layer, PromptPlace place, RowGroup rows);

    /// <summary>act(gate) · up, with the model's activation: [T, F].</summary>
    TValue GateMultiply(TValue gate, TValue up);

    /// <summary>act(up), where the MLP has no gate: [T, F].</summary>
    TValue Activate(TValue up);

    /// <summary>The rows of a group: [group rows, D].</summary>
    TValue Gather(TValue x, RowGroup rows);

    /// <summary>The head with the adapters' edits: logits, [group rows, V].</summary>
    TValue Head(TValue x, RowGroup rows);
}
