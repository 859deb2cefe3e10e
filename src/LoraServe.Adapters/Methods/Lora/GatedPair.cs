using System.Numerics.Tensors;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Gradients;

namespace LoraServe.Adapters.Methods.Lora;

/// <summary>A low-rank pair with a gate for each of its terms.</summary>
/// <param name="gates">Which gates.</param>
/// <param name="module">The linear map.</param>
/// <param name="pair">A and B, as they are without gates.</param>
/// <param name="gate">The gates' parameters, [rank].</param>
/// <param name="seed">Of the gates' noise.</param>
internal sealed class GatedPair(RankGates<float> gates, BaseModule module, TrainablePair pair, Parameter gate, ulong seed)
{
    /// <summary>The linear map.</summary>
    public BaseModule Module => module;

    /// <summary>A and B, as they are without gates.</summary>
    public TrainablePair Pair => pair;

    /// <summary>The gates' parameters, [rank].</summary>
    public Parameter Gate => gate;

    /// <summary>Gates without noise.</summary>
    public float[] AtRest()
    {
        float[] values = new float[gate.Values.Length];
        gates.Rest(gate.Values, values);
        return values;
    }

    /// <summary>What the pair does in a step.</summary>
    public LowRank Edit(ulong step) => Gated(Sample(step).Gates);

    /// <summary>What the pair does without noise.</summary>
    public LowRank EditAtRest() => Gated(AtRest());

    /// <summary>The terms whose gates are open; null where none is.</summary>
    public LowRank? Pruned(float threshold) => GatePruning.Prune(pair.Edit, AtRest(), threshold);

    /// <summary>Adds to the gradients of A, B and the gates.</summary>
    public void Pull(LinearEditGradient site, ulong step)
    {
        (float[] values, float[] slopes) = Sample(step);
        RankGates<float>.Pull(values, slopes, pair.A.Values, site.A!.Values, pair.A.Gradient, gate.Gradient);
        TensorPrimitives.Add(pair.B.Gradient, site.B!.Values, pair.B.Gradient);
    }

    private (float[] Gates, float[] Slopes) Sample(ulong step)
    {
        float[] values = new float[gate.Values.Length];
        float[] slopes = new float[gate.Values.Length];
        gates.Sample(gate.Values, seed, step, values, slopes);
        return (values, slopes);
    }

    private LowRank Gated(float[] values)
    {
        LowRank edit = pair.Edit;
        var a = new FloatMatrix(edit.A.Rows, edit.A.Columns);
        RankGates<float>.Apply(values, edit.A.Values, a.Values);
        return edit with { A = a };
    }
}
