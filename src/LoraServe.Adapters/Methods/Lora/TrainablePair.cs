using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Gradients;

namespace LoraServe.Adapters.Methods.Lora;

/// <summary>A low-rank pair at one module, with what goes with it: what it was cut from the base as, DoRA's magnitude, a bias.</summary>
/// <param name="model">The base.</param>
/// <param name="module">The linear map, or the token table.</param>
/// <param name="a">[rank, inputs].</param>
/// <param name="b">[outputs, rank].</param>
/// <param name="scale">Factor of the product.</param>
internal sealed class TrainablePair(IBaseModel model, BaseModule module, Parameter a, Parameter b, float scale)
{
    // The matrices are the parameters' own arrays, so the edit follows every step.
    private readonly LowRank _edit = new(
        module.Site, new FloatMatrix(a.Shape[0], a.Shape[1], a.Values), new FloatMatrix(b.Shape[0], b.Shape[1], b.Values), scale);

    private float[] _norms = [];

    /// <summary>The pair alone, as the parameters make it.</summary>
    public LowRank Edit => _edit;

    /// <summary>[rank, inputs].</summary>
    public Parameter A => a;

    /// <summary>[outputs, rank].</summary>
    public Parameter B => b;

    /// <summary>Factor of the product.</summary>
    public float Scale => scale;

    /// <summary>What the base must become first (PiSSA, OLoRA); null: nothing.</summary>
    public LowRank? Residual { get; init; }

    /// <summary>DoRA's m, [outputs]; null without.</summary>
    public Parameter? Magnitude { get; init; }

    /// <summary>A bias of B, [outputs]; null without.</summary>
    public Parameter? Bias { get; init; }

    private LowRank[] Pairs => Residual is null ? [_edit] : [_edit, Residual];

    /// <summary>The magnitude that leaves the base as it is: the norms of its rows.</summary>
    public static float[] NormsOfBase(IBaseModel model, BaseModule module)
    {
        float[] norms = new float[module.Outputs];
        var nothing = new LowRank(module.Site, new FloatMatrix(1, module.Inputs), new FloatMatrix(module.Outputs, 1), 1);
        Dora.Norms(model, module, [nothing], dense: null, norms);
        return norms;
    }

    /// <summary>The edits that the parameters make now.</summary>
    public IEnumerable<AdapterEdit> Edits()
    {
        foreach (LowRank pair in Pairs)
        {
            yield return pair;
        }

        if (Magnitude is not null)
        {
            _norms = new float[Magnitude.Values.Length];
            Dora.Norms(model, module, Pairs, dense: null, _norms);
            yield return new OutputScale(module.Site, [.. Magnitude.Values.Zip(_norms, (m, norm) => m / norm)]);
        }

        if (Bias is not null)
        {
            yield return new BiasDelta(module.Site, Array.ConvertAll(Bias.Values, value => value * scale));
        }
    }

    /// <summary>Adds to the parameters' gradients. The norm in DoRA's scale counts as constant, as its authors have it.</summary>
    /// <remarks>
    /// Resident, B has the output scale folded in, and where there is a residual the two pairs are one: the residual's rows of A
    /// and columns of B come last, and each pair's factor is folded into B.
    /// </remarks>
    public void Pull(LinearEditGradient site)
    {
        int rank = a.Shape[0];
        int rankOfSite = site.B!.Rows.Width;
        float factor = Residual is null ? 1 : scale;
        System.Numerics.Tensors.TensorPrimitives.Add(a.Gradient, site.A!.Values.AsSpan(0, a.Gradient.Length), a.Gradient);
        for (int output = 0; output < module.Outputs; output++)
        {
            ReadOnlySpan<float> dB = site.B.Values.AsSpan(output * rankOfSite, rankOfSite);
            float outputScale = Magnitude is null ? 1 : Magnitude.Values[output] / _norms[output];
            for (int k = 0; k < rank; k++)
            {
                b.Gradient[(output * rank) + k] += dB[k] * factor * outputScale;
            }

            if (Magnitude is not null)
            {
                Magnitude.Gradient[output] += (site.OutputGain!.Values[output] + AlongB(output, dB, factor)) / _norms[output];
            }
        }

        if (Bias is not null)
        {
            System.Numerics.Tensors.TensorPrimitives.MultiplyAdd(site.Bias!.Values, scale, Bias.Gradient, Bias.Gradient);
        }
    }

    /// <summary>Derivative by the output's scale through all of B that it is folded into.</summary>
    private float AlongB(int output, ReadOnlySpan<float> dB, float factor)
    {
        float sum = 0;
        foreach (LowRank pair in Pairs)
        {
            ReadOnlySpan<float> values = pair.B.Row(output);
            float pairFactor = Residual is null ? factor : pair.Scale;
            for (int k = 0; k < pair.Rank; k++)
            {
                sum += dB[k] * values[k] * pairFactor;
            }

            dB = dB[pair.Rank..];
        }

        return sum;
    }
}
