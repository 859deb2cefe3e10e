using LoraServe.Adapters.Edits;
using LoraServe.Compute.Memory;
using LoraServe.Models.Forward;
using LoraServe.Models.Spec;
using LoraServe.Torch.Native;
using LoraServe.Torch.Weights;

namespace LoraServe.Torch.Forward;

/// <summary>The experts of a layer: each gets its rows, and what it makes of them is added by its shares. Which rows those are is chosen on the host.</summary>
internal sealed class ExpertSum(ExpertsSpec spec, TorchWeights weights, TorchOps ops)
{
    private readonly ExpertRouting _routing = new(spec);

    /// <summary>What the experts make of the rows, added by their shares: [T, D].</summary>
    public Tensor Run(Tensor x, int layer, RowGroup rows)
    {
        Tensor shares = Shares(ops.Linear(x, new Site(layer, SiteRole.Router), rows).to(ScalarType.Float32), rows);
        Tensor sum = torch.zeros_like(x);
        for (int expert = 0; expert < spec.Count; expert++)
        {
            if (_routing.RowsOf(expert).Length > 0)
            {
                sum = AddExpert(sum, x, shares, layer, expert);
            }
        }

        return sum;
    }

    /// <summary>The shares of each row's experts, [T, experts], 0 for those that it does not go through.</summary>
    private unsafe Tensor Shares(Tensor scores, RowGroup rows)
    {
        int count = (int)scores.shape[0];
        float[] host = [.. scores.detach().cpu().data<float>()];
        fixed (float* start = host)
        {
            _routing.Choose(new Rows((nint)start, count, spec.Count, spec.Count), rows);
        }

        float[] mask = new float[host.Length];
        for (int expert = 0; expert < spec.Count; expert++)
        {
            foreach (int row in _routing.RowsOf(expert))
            {
                mask[(row * spec.Count) + expert] = 1;
            }
        }

        Tensor shares = scores.softmax(-1).mul(torch.tensor(mask, count, spec.Count, device: weights.Device));
        return spec.SharesAddUp ? shares.div(shares.sum(-1, keepdim: true)) : shares;
    }

    private Tensor AddExpert(Tensor sum, Tensor x, Tensor shares, int layer, int expert)
    {
        RowGroup group = _routing.GroupOf(expert);
        Tensor rows = torch.tensor([.. _routing.RowsOf(expert).ToArray().Select(row => (long)row)], device: weights.Device);
        Tensor input = x.index_select(0, rows);
        (Tensor gate, Tensor up) = ops.Linear(input, new Site(layer, SiteRole.ExpertGate, expert), new Site(layer, SiteRole.ExpertUp, expert), group);
        Tensor down = ops.Linear(ops.GateMultiply(gate, up), new Site(layer, SiteRole.ExpertDown, expert), group);
        return sum.PlusRows(rows, down.mul(shares.index_select(0, rows).narrow(1, expert, 1).to(weights.Type)));
    }
}
