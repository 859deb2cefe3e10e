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
        TValue normed = Normed(x, NormRole.Attention);
        TValue beside = spec.AddsInParallel ? Normed(x, NormRole.Mlp) : normed;
        (TValue q, TValue k, TValue v) = Has(SiteRole.QueryKeyValue)
            ? ops.SplitHeads(ops.Linear(normed, At(SiteRole.QueryKeyValue), batch.All))
            : ops.Linear(normed, At(SiteRole.Query), At(SiteRole.Key), At(SiteRole.Value), batch.All);
        (q, k) = (Normed(q, NormRole.Query), Normed(k, NormRole.Key));
        if (spec.RopeOf(layer) is not null)
        {
            (q, k) = (ops.Rotate(q, layer, batch), ops.Rotate(k, layer, batch));
        }

        TValue attended = ops.AttendPrompts(ops.Attend(q, k, v, layer, batch), q, layer, PromptPlace.BeforeOutput, batch.All);
        x = ops.AddLinear(x, attended, At(SiteRole.Output), After(NormRole.AfterAttention), batch.All);
        x = ops.AttendPrompts(x, q, layer, PromptPlace.AfterOutput, batch.All);

        normed = spec.AddsInParallel ? beside : Normed(x, NormRole.Mlp);
        return spec.HasExperts(layer)
            ? ops.AddExperts(x, normed, layer, After(NormRole.AfterMlp), batch.All)
            : ops.AddLinear(x, Widened(normed), At(SiteRole.Down), After(NormRole.AfterMlp), batch.All);

        TValue Widened(TValue input)
        {
            if (!Has(SiteRole.Gate) && !Has(SiteRole.GateUp))
            {
                return ops.Activate(ops.Linear(input, At(SiteRole.Up), batch.All));
            }

            (TValue gate, TValue up) = Has(SiteRole.GateUp)
                ? ops.SplitGate(ops.Linear(input, At(SiteRole.GateUp), batch.All))
                : ops.Linear(input, At(SiteRole.Gate), At(SiteRole.Up), batch.All);
            return ops.GateMultiply(gate, up);
        }

        bool Has(SiteRole role) => spec.Linears.Contains(role);

        Site At(SiteRole role) => new(layer, role);

        TValue Normed(TValue rows, NormRole role) => After(role) is { } site ? ops.Norm(rows, site, batch.All) : rows;

        NormSite? After(NormRole role) => spec.LayerNorms.Contains(role) ? new NormSite(layer, role) : null;
    }
}
