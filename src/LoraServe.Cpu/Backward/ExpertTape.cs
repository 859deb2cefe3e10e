using LoraServe.Adapters.Edits;
using LoraServe.Compute.Kernels;
using LoraServe.Compute.Memory;
using LoraServe.Cpu.Forward;
using LoraServe.Models.Forward;
using LoraServe.Models.Spec;

namespace LoraServe.Cpu.Backward;

/// <summary>The experts of a layer on the tape; serving runs them without it in <see cref="ExpertSum"/>, with the same operations in the same order.</summary>
internal sealed unsafe class ExpertTape(TransformerSpec spec, TapeOps tape, EagerOps eager)
{
    private readonly ExpertRouting _routing = new(spec.Experts!);

    /// <summary>What the experts make of the rows, added by their shares: [T, D].</summary>
    public TapeValue Run(TapeValue x, int layer, RowGroup rows)
    {
        TapeValue scores = tape.Linear(x, new Site(layer, SiteRole.Router), rows);
        _routing.Choose(scores.Rows, rows);
        Rows sum = eager.Scratch.Rent(x.Rows.Count, x.Rows.Width);
        sum.Clear();
        bool needsGradient = scores.NeedsGradient;
        List<(int Expert, int[] Rows, float[] Shares, TapeValue Result)> parts = [];
        for (int expert = 0; expert < spec.Experts!.Count; expert++)
        {
            if (_routing.RowsOf(expert).Length > 0)
            {
                TapeValue result = Expert(x, layer, expert);
                parts.Add((expert, _routing.RowsOf(expert).ToArray(), _routing.SharesOf(expert).ToArray(), result));
                ExpertSum.AddShares(result.Rows, _routing.RowsOf(expert), _routing.SharesOf(expert), sum);
                needsGradient |= result.NeedsGradient;
            }
        }

        var total = new TapeValue(sum, needsGradient);
        tape.Record(total, () =>
        {
            Rows dShares = tape.RentGradient(sum.Count, spec.Experts.Count);
            foreach ((int expert, int[] ofExpert, float[] shares, TapeValue result) in parts)
            {
                result.Gradient = tape.RentGradient(ofExpert.Length, sum.Width);
                for (int i = 0; i < ofExpert.Length; i++)
                {
                    RowArithmetic.AddScaled(total.Gradient[ofExpert[i]], shares[i], result.Gradient[i], sum.Width);
                    dShares[ofExpert[i]][expert] = System.Numerics.Tensors.TensorPrimitives.Dot<float>(total.Gradient.Span(ofExpert[i]), result.Rows.Span(i));
                }
            }

            if (scores.NeedsGradient)
            {
                scores.Gradient = tape.RentGradient(scores.Rows.Count, scores.Rows.Width);
                _routing.Backward(scores.Rows, dShares, scores.Gradient);
            }
        });

        // The parts' own ways back come before the sum's in the record, so after it on the way back.
        return total;
    }

    private TapeValue Expert(TapeValue x, int layer, int expert)
    {
        RowGroup group = new();
        group.CopyRange(_routing.GroupOf(expert), 0, _routing.GroupOf(expert).Count);
        int[] rows = _routing.RowsOf(expert).ToArray();
        var input = new TapeValue(eager.Gather(x.Rows, rows), x.NeedsGradient);
        tape.Record(input, () =>
        {
            x.Gradient = x.HasGradient ? x.Gradient : tape.RentGradient(x.Rows.Count, x.Rows.Width);
            for (int i = 0; i < rows.Length; i++)
            {
                RowArithmetic.Add(input.Gradient[i], x.Gradient[rows[i]], x.Rows.Width);
            }
        });
        (TapeValue gate, TapeValue up) = tape.Linear(input, new Site(layer, SiteRole.ExpertGate, expert), new Site(layer, SiteRole.ExpertUp, expert), group);
        TapeValue product = tape.KeptGateMultiply(gate, up);
        return tape.Linear(product, new Site(layer, SiteRole.ExpertDown, expert), group);
    }
}
