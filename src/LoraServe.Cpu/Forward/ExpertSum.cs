using LoraServe.Adapters.Edits;
using LoraServe.Compute.Kernels;
using LoraServe.Compute.Memory;
using LoraServe.Models.Forward;
using LoraServe.Models.Spec;

namespace LoraServe.Cpu.Forward;

/// <summary>The experts of a layer: each gets its rows, and what it makes of them is added by its shares. Reused from layer to layer without allocating.</summary>
internal sealed unsafe class ExpertSum(ExpertsSpec spec, EagerOps ops)
{
    private readonly ExpertRouting _routing = new(spec);

    /// <summary>What the experts make of the rows, added by their shares: [T, D].</summary>
    public Rows Run(Rows x, int layer, RowGroup rows)
    {
        _routing.Choose(ops.Linear(x, new Site(layer, SiteRole.Router), rows), rows);
        Rows sum = ops.Scratch.Rent(x.Count, x.Width);
        sum.Clear();
        for (int expert = 0; expert < spec.Count; expert++)
        {
            long mark = ops.Scratch.Mark();
            if (_routing.RowsOf(expert).Length > 0)
            {
                AddShares(Expert(x, layer, expert), _routing.RowsOf(expert), _routing.SharesOf(expert), sum);
            }

            ops.Scratch.Release(mark);
        }

        return sum;
    }

    /// <summary>Adds rows by their shares to the rows of the batch that they belong to.</summary>
    public static void AddShares(Rows results, ReadOnlySpan<int> rows, ReadOnlySpan<float> shares, Rows sum)
    {
        for (int i = 0; i < rows.Length; i++)
        {
            RowArithmetic.AddScaled(results[i], shares[i], sum[rows[i]], sum.Width);
        }
    }

    private Rows Expert(Rows x, int layer, int expert)
    {
        RowGroup group = _routing.GroupOf(expert);
        Rows input = ops.Gather(x, _routing.RowsOf(expert));
        (Rows gate, Rows up) = ops.Linear(input, new Site(layer, SiteRole.ExpertGate, expert), new Site(layer, SiteRole.ExpertUp, expert), group);
        return ops.Linear(ops.GateMultiply(gate, up), new Site(layer, SiteRole.ExpertDown, expert), group);
    }
}
