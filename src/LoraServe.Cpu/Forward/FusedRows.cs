using LoraServe.Compute.Memory;
using LoraServe.Models.Spec;

namespace LoraServe.Cpu.Forward;

/// <summary>Where queries, keys and values lie in what one map gives for all three.</summary>
internal static class FusedRows
{
    /// <summary>Copies one of the three out of rows that have them head by head.</summary>
    /// <param name="spec">The model.</param>
    /// <param name="fused">[T, heads · 3 · K].</param>
    /// <param name="part">0 for queries, 1 for keys, 2 for values.</param>
    /// <param name="apart">[T, heads · K].</param>
    public static void Take(TransformerSpec spec, Rows fused, int part, Rows apart)
    {
        for (int t = 0; t < fused.Count; t++)
        {
            for (int head = 0; head < spec.QueryHeads; head++)
            {
                Head(spec, fused.Span(t), part, head).CopyTo(apart.Span(t)[(head * spec.HeadSize)..]);
            }
        }
    }

    /// <summary>Copies one of the three to its place.</summary>
    /// <param name="spec">The model.</param>
    /// <param name="apart">One of the three; no rows for zeros.</param>
    /// <param name="part">0 for queries, 1 for keys, 2 for values.</param>
    /// <param name="fused">All three.</param>
    public static void Put(TransformerSpec spec, Rows apart, int part, Rows fused)
    {
        int width = part == 0 ? spec.QueryHeads * spec.HeadSize : spec.KeyWidth;
        for (int t = 0; t < fused.Count; t++)
        {
            for (int head = 0; head < width / spec.HeadSize; head++)
            {
                Span<float> place = Head(spec, fused.Span(t), part, head);
                if (apart.Count > 0)
                {
                    apart.Span(t).Slice(head * spec.HeadSize, spec.HeadSize).CopyTo(place);
                }
                else
                {
                    place.Clear();
                }
            }
        }
    }

    private static Span<float> Head(TransformerSpec spec, Span<float> row, int part, int head)
    {
        int headsBefore = spec.FusesByHead ? (3 * head) + part : head + (part > 0 ? spec.QueryHeads : 0) + (part > 1 ? spec.KeyValueHeads : 0);
        return row.Slice(headsBefore * spec.HeadSize, spec.HeadSize);
    }
}
