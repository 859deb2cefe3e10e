using LoraServe.Adapters.Edits;

namespace LoraServe.Models.Forward;

/// <summary>The forward pass of a decoder-only transformer: the only definition of it.</summary>
public static class DecoderForward
{
    /// <summary>Runs a batch.</summary>
    /// <param name="ops">What runs (or records) the operations.</param>
    /// <param name="weights">The base model.</param>
    /// <param name="batch">The tokens.</param>
    /// <returns>Logits, [rows of <see cref="TokenBatch.Logits"/>, V], and last hidden states after the final norm, [rows of <see cref="TokenBatch.Hidden"/>, D].</returns>
    public static (TValue Logits, TValue Hidden) Run<TOps, TValue>(TOps ops, Transformer weights, TokenBatch batch)
        where TOps : IForwardOps<TValue>
    {
        TValue x = ops.Embed(weights, batch);
        for (int i = 0; i < weights.Layers.Length; i++)
        {
            x = Layer(ops, weights, batch, i, ops.BeginLayer(i, x));
        }

        TValue last = ops.Norm(ops.Gather(x, batch.Logits), weights.FinalNorm, NormSite.Final, batch.Logits);
        TValue logits = ops.Linear(last, weights.Head, batch.Logits);
        TValue hidden = ops.Norm(ops.Gather(x, batch.Hidden), weights.FinalNorm, NormSite.Final, batch.Hidden);
        return (logits, hidden);
    }

    /// <summary>Runs one layer: what training does again where it has not kept what a layer made.</summary>
    /// <returns>The residual stream after it, [T, D].</returns>
    internal static TValue Layer<TOps, TValue>(TOps ops, Transformer weights, TokenBatch batch, int index, TValue x)
        where TOps : IForwardOps<TValue>
    {
        LayerWeights layer = weights.Layers[index];
        TValue normed = ops.Norm(x, layer.AttentionNorm, new NormSite(index, NormRole.Attention), batch.All);
        (TValue q, TValue k, TValue v) = ops.Linear(normed, layer.Query, layer.Key, layer.Value, batch.All);
        TValue attended = ops.Attend(ops.Rotate(q, batch), ops.Rotate(k, batch), v, index, batch);
        x = ops.AddLinear(x, attended, layer.Output, batch.All);

        normed = ops.Norm(x, layer.MlpNorm, new NormSite(index, NormRole.Mlp), batch.All);
        (TValue gate, TValue up) = ops.Linear(normed, layer.Gate, layer.Up, batch.All);
        return ops.AddLinear(x, ops.SiluMultiply(gate, up), layer.Down, batch.All);
    }
}
