using LoraServe.Adapters.Edits;
using LoraServe.Models.Spec;

namespace LoraServe.Models.Forward;

/// <summary>The forward pass of a decoder-only transformer: the only definition of it.</summary>
public static class DecoderForward
{
    /// <summary>Runs a batch.</summary>
    /// <param name="ops">What runs (or records) the operations.</param>
    /// <param name="spec">The model's shape.</param>
    /// <param name="batch">The tokens.</param>
    /// <returns>Logits, [rows of <see cref="TokenBatch.Logits"/>, V], and last hidden states after the final norm, [rows of <see cref="TokenBatch.Hidden"/>, D].</returns>
    public static (TValue Logits, TValue Hidden) Run<TOps, TValue>(TOps ops, TransformerSpec spec, TokenBatch batch)
        where TOps : IForwardOps<TValue>
    {
        TValue x = ops.Embed(batch);
        for (int layer = 0; layer < spec.LayerCount; layer++)
        {
            x = Layer(ops, spec, batch, layer, ops.BeginLayer(layer, x));
        }

        TValue logits = ops.Head(ops.Norm(ops.Gather(x, batch.Logits), NormSite.Final, batch.Logits), batch.Logits);
        TValue hidden = ops.Norm(ops.Gather(x, batch.Hidden), NormSite.Final, batch.Hidden);
        return (logits, hidden);
    }

    /// <summary>Runs one layer: what training does again where it has not kept what a layer made.</summary>
    /// <returns>The residual stream after it, [T, D].</returns>
    public static TValue Layer<TOps, TValue>(TOps ops, TransformerSpec spec, TokenBatch batch, int layer, TValue x)
        where TOps : IForwardOps<TValue>
    {
        TValue normed = ops.Norm(x, new NormSite(layer, NormRole.Attention), batch.All);
        (TValue q, TValue k, TValue v) = ops.Linear(normed, At(SiteRole.Query), At(SiteRole.Key), At(SiteRole.Value), batch.All);
        TValue attended = ops.Attend(ops.Rotate(q, batch), ops.Rotate(k, batch), v, layer, batch);
        x = ops.AddLinear(x, attended, At(SiteRole.Output), After(NormRole.AfterAttention), batch.All);

        normed = ops.Norm(x, new NormSite(layer, NormRole.Mlp), batch.All);
        (TValue gate, TValue up) = ops.Linear(normed, At(SiteRole.Gate), At(SiteRole.Up), batch.All);
        return ops.AddLinear(x, ops.GateMultiply(gate, up), At(SiteRole.Down), After(NormRole.AfterMlp), batch.All);

        Site At(SiteRole role) => new(layer, role);

        NormSite? After(NormRole role) => spec.LayerNorms.Contains(role) ? new NormSite(layer, role) : null;
    }
}
