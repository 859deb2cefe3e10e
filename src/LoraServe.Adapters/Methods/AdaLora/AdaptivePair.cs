using System.Numerics.Tensors;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Gradients;

namespace LoraServe.Adapters.Methods.AdaLora;

/// <summary>AdaLoRA's B·diag(E)·A at one module, with the importance of each of its ranks.</summary>
internal sealed class AdaptivePair(BaseModule module, Parameter a, Parameter b, Parameter e, float scale, float beta1, float beta2)
{
    private readonly ImportanceScore _ofA = new(a, beta1, beta2);
    private readonly ImportanceScore _ofB = new(b, beta1, beta2);
    private readonly ImportanceScore _ofE = new(e, beta1, beta2);

    /// <summary>The module.</summary>
    public BaseModule Module { get; } = module;

    /// <summary>Ranks before any is taken away.</summary>
    public int Rank => a.Shape[0];

    /// <summary>E's name.</summary>
    public string DiagonalName => e.Name;

    /// <summary>1 for each rank that is kept, 0 for each that has been taken away.</summary>
    public float[] Kept { get; } = [.. Enumerable.Repeat(1f, a.Shape[0])];

    /// <summary>What is remembered from step to step.</summary>
    public IEnumerable<KeyValuePair<string, float[]>> State =>
    [
        .. new[] { (a, _ofA), (b, _ofB), (e, _ofE) }.SelectMany(entry => (KeyValuePair<string, float[]>[])
            [new($"{entry.Item1.Name}.sensitivity", entry.Item2.Sensitivity), new($"{entry.Item1.Name}.uncertainty", entry.Item2.Uncertainty)]),
        new($"{e.Name}.kept", Kept),
    ];

    private int Inputs => a.Shape[1];

    private int Outputs => b.Shape[0];

    /// <summary>The edit that the parameters make now, E folded into A.</summary>
    public LowRank Edit() => Edit(a, b, e);

    /// <summary>The edit of the ranks that are kept alone.</summary>
    public LowRank KeptEdit()
    {
        IReadOnlyList<Parameter> kept = Saved();
        return Edit(kept[0], kept[1], kept[2]);
    }

    /// <summary>Adds to the parameters' gradients.</summary>
    public void Pull(LinearEditGradient site)
    {
        TensorPrimitives.Add(b.Gradient, site.B!.Values, b.Gradient);
        for (int k = 0; k < Rank; k++)
        {
            ReadOnlySpan<float> d = site.A!.Values.AsSpan(k * Inputs, Inputs);
            Span<float> dA = a.Gradient.AsSpan(k * Inputs, Inputs);
            TensorPrimitives.MultiplyAdd(d, e.Values[k], dA, dA);
            e.Gradient[k] += TensorPrimitives.Dot(d, a.Values.AsSpan(k * Inputs, Inputs));
        }
    }

    /// <summary>‖A·Aᵀ − I‖ + ‖Bᵀ·B − I‖, and factor times its derivative added to the gradients.</summary>
    public double Orthogonality(double factor)
    {
        var gradientOfColumns = new FloatMatrix(Rank, Outputs);
        double sum = Orthogonality(new FloatMatrix(Rank, Inputs, a.Values), new FloatMatrix(Rank, Inputs, a.Gradient), factor)
            + Orthogonality(new FloatMatrix(Outputs, Rank, b.Values).Transposed(), gradientOfColumns, factor);
        TensorPrimitives.Add(b.Gradient, gradientOfColumns.Transposed().Values, b.Gradient);
        return sum;
    }

    /// <summary>Takes in a step.</summary>
    public void UpdateScores()
    {
        _ofA.Update();
        _ofB.Update();
        _ofE.Update();
    }

    /// <summary>The importance of each rank: E's own, and the means of A's row and of B's column.</summary>
    public float[] RankScores()
    {
        float[] scores = new float[Rank];
        for (int k = 0; k < Rank; k++)
        {
            (double ofA, double ofB) = (0, 0);
            for (int i = 0; i < Inputs; i++)
            {
                ofA += _ofA[(k * Inputs) + i];
            }

            for (int i = 0; i < Outputs; i++)
            {
                ofB += _ofB[(i * Rank) + k];
            }

            scores[k] = _ofE[k] + (float)(ofA / Inputs) + (float)(ofB / Outputs);
        }

        return scores;
    }

    /// <summary>Sets E to zero where a rank is not kept.</summary>
    public void Mask()
    {
        for (int k = 0; k < Rank; k++)
        {
            e.Values[k] = Kept[k] != 0 ? e.Values[k] : 0;
        }
    }

    /// <summary>Whether E is zero wherever a rank is not kept.</summary>
    public bool IsMasked => e.Values.Zip(Kept).All(entry => entry.Second != 0 || entry.First == 0);

    /// <summary>The tensors of the ranks that are kept, as PEFT saves them.</summary>
    public IReadOnlyList<Parameter> Saved()
    {
        int[] kept = [.. Enumerable.Range(0, Rank).Where(k => Kept[k] != 0)];
        var keptA = new Parameter(a.Name, [kept.Length, Inputs], new float[kept.Length * Inputs]);
        var keptB = new Parameter(b.Name, [Outputs, kept.Length], new float[Outputs * kept.Length]);
        var keptE = new Parameter(e.Name, [kept.Length, 1], [.. kept.Select(k => e.Values[k])]);
        for (int place = 0; place < kept.Length; place++)
        {
            a.Values.AsSpan(kept[place] * Inputs, Inputs).CopyTo(keptA.Values.AsSpan(place * Inputs));
            for (int i = 0; i < Outputs; i++)
            {
                keptB.Values[(i * kept.Length) + place] = b.Values[(i * Rank) + kept[place]];
            }
        }

        return [keptA, keptB, keptE];
    }

    private LowRank Edit(Parameter rows, Parameter columns, Parameter diagonal)
    {
        FloatMatrix scaled = new FloatMatrix(rows.Shape[0], Inputs, rows.Values).WithScaledRows(diagonal.Values);
        return new LowRank(Module.Site, scaled, new FloatMatrix(Outputs, columns.Shape[1], columns.Values), scale);
    }

    /// <summary>‖V·Vᵀ − I‖ of vectors that are rows; d‖P‖/dV = 2·P·V/‖P‖.</summary>
    private static double Orthogonality(FloatMatrix vectors, FloatMatrix gradient, double factor)
    {
        var products = new FloatMatrix(vectors.Rows, vectors.Rows);
        for (int j = 0; j < vectors.Rows; j++)
        {
            for (int k = 0; k < vectors.Rows; k++)
            {
                products.Row(j)[k] = TensorPrimitives.Dot<float>(vectors.Row(j), vectors.Row(k)) - (j == k ? 1 : 0);
            }
        }

        double norm = products.Norm();
        for (int j = 0; j < vectors.Rows && norm > 0; j++)
        {
            for (int k = 0; k < vectors.Rows; k++)
            {
                TensorPrimitives.MultiplyAdd(vectors.Row(k), (float)(factor * 2 * products.Row(j)[k] / norm), gradient.Row(j), gradient.Row(j));
            }
        }

        return norm;
    }
}
