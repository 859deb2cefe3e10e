using System.Numerics.Tensors;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.LinearAlgebra;

namespace LoraServe.Adapters.Methods.Reading;

/// <summary>Collects what an adapter does to one module.</summary>
internal sealed class ModuleEdits(BaseModule module)
{
    /// <summary>Below this part of what it is made of, a change is rounding.</summary>
    private const double Negligible = 1e-5;

    /// <summary>The module.</summary>
    public BaseModule Module { get; } = module;

    /// <summary>The low-rank pairs, a residual included.</summary>
    public List<LowRank> Pairs { get; } = [];

    /// <summary>The low-rank pairs that a classifier scales row by row.</summary>
    public List<RoutedLowRank> Routed { get; } = [];

    /// <summary>Whether the file brings the weight below the method's own tensors.</summary>
    public bool BringsWeight { get; set; }

    /// <summary>A whole ΔW.</summary>
    public FloatMatrix? Dense { get; set; }

    /// <summary>A pair whose factors other modules share.</summary>
    public SharedLowRank? Shared { get; set; }

    /// <summary>Factors of the outputs.</summary>
    public float[]? OutputScale { get; set; }

    /// <summary>Factors of the inputs.</summary>
    public float[]? InputScale { get; set; }

    /// <summary>Rotation of the inputs.</summary>
    public InputRotation? Rotation { get; set; }

    /// <summary>Rotation of the base's product.</summary>
    public BlockRotation? OutputRotation { get; set; }

    /// <summary>Summand of the outputs.</summary>
    public float[]? Bias { get; set; }

    /// <summary>Changed rows.</summary>
    public RowsDelta? Rows { get; set; }

    /// <summary>Adds a change of the weight.</summary>
    public void Add(ModuleEdit edit)
    {
        switch (edit)
        {
            case LowRank pair:
                Pairs.Add(pair);
                break;
            case DenseDelta { Values: var values }:
                if (Dense is not null)
                {
                    TensorPrimitives.Add(values.Values, Dense.Values, values.Values);
                }

                Dense = values;
                break;
            default:
                throw new ArgumentException($"A {edit.GetType().Name} is no change of a weight.", nameof(edit));
        }
    }

    /// <summary>Adds to the summand of the outputs.</summary>
    public void AddBias(float[] values) => Bias = Bias is null ? values : [.. Bias.Zip(values, (a, b) => a + b)];

    /// <summary>Frobenius norm of the change of the weight: 0 where it is rounding.</summary>
    public double DeltaNorm(IBaseModel model)
    {
        LowRank[] pairs = [.. Pairs, .. Routed.Select(pair => pair.Pair), .. Shared is null ? (LowRank[])[] : [Shared.ToLowRank(Module.Inputs)]];
        double made = pairs.Sum(LowRankNorm.Of) + Norm(Dense) + Norm(Rows?.Values);
        double change;
        if (Rotation is not null)
        {
            (change, made) = RotatedNorms(model, Rotation);
        }
        else if (OutputRotation is not null)
        {
            (change, made) = RotatedOutputNorms(model, OutputRotation);
        }
        else if (InputScale is not null)
        {
            (change, made) = ScaledInputNorms(model, InputScale);
        }
        else if (OutputScale is null && (Dense is null || pairs.Length == 0))
        {
            change = (pairs.Length == 1 ? LowRankNorm.Of(pairs[0]) : Math.Sqrt(LowRankNorm.Squared(pairs))) + Norm(Dense);
        }
        else
        {
            (change, double original) = Dense is null && !Module.Site.IsTable ? ScaledNorms(model, pairs, OutputScale!) : FormedNorms(model);
            made = Math.Max(made, original);
        }

        change = double.Hypot(change, Norm(Rows?.Values));
        return change <= Negligible * made ? 0 : change;
    }

    /// <summary>The edits.</summary>
    public IEnumerable<ModuleEdit> Edits()
    {
        foreach (LowRank pair in Pairs)
        {
            yield return pair;
        }

        foreach (RoutedLowRank pair in Routed)
        {
            yield return pair;
        }

        if (Dense is not null)
        {
            yield return new DenseDelta(Module.Site, Dense);
        }

        if (Shared is not null)
        {
            yield return Shared;
        }

        if (InputScale is not null)
        {
            yield return new InputScale(Module.Site, InputScale);
        }

        if (Rotation is not null)
        {
            yield return Rotation;
        }

        if (OutputScale is not null)
        {
            yield return new OutputScale(Module.Site, OutputScale);
        }

        if (OutputRotation is not null)
        {
            yield return new OutputRotation(Module.Site, OutputRotation);
        }

        if (Rows is not null)
        {
            yield return Rows;
        }

        if (Bias is not null)
        {
            yield return new BiasDelta(Module.Site, Bias);
        }
    }

    private static double Norm(FloatMatrix? matrix) => matrix?.Norm() ?? 0;

    // The change is W·diag(l − 1).
    private (double Change, double Original) ScaledInputNorms(IBaseModel model, float[] scale)
    {
        double[] squares = WeightNorms.Of(model, Module).Columns;
        return (Math.Sqrt(scale.Zip(squares, (l, square) => (l - 1.0) * (l - 1.0) * square).Sum()), Math.Sqrt(squares.Sum()));
    }

    // The change is s∘(W·R) − W.
    private (double Change, double Original) RotatedNorms(IBaseModel model, InputRotation rotation)
    {
        double[] changes = new double[Module.Outputs];
        double[] sizes = new double[Module.Outputs];
        Parallel.For(0, Module.Outputs, output =>
        {
            float[] original = new float[Module.Inputs];
            model.CopyWeightRow(Module.Site, output, original);
            float[] changed = [.. original];
            rotation.ApplyToWeight(changed);
            if (OutputScale is not null)
            {
                TensorPrimitives.Multiply(changed, OutputScale[output], changed);
            }

            TensorPrimitives.Subtract(changed, original, changed);
            (changes[output], sizes[output]) = (TensorPrimitives.SumOfSquares(changed), TensorPrimitives.SumOfSquares(original));
        });
        return (Math.Sqrt(changes.Sum()), Math.Sqrt(sizes.Sum()));
    }

    // The change is R·W − W, and ΔW where there is one beside it.
    private (double Change, double Original) RotatedOutputNorms(IBaseModel model, BlockRotation rotation)
    {
        (int[] Members, FloatMatrix Changes)[] blocks = [.. rotation.Blocks()];
        double[] changes = new double[blocks.Length];
        double[] sizes = new double[blocks.Length];
        Parallel.For(0, blocks.Length, block =>
        {
            (int[] members, FloatMatrix factors) = blocks[block];
            var rows = new FloatMatrix(members.Length, Module.Inputs);
            for (int j = 0; j < members.Length; j++)
            {
                model.CopyWeightRow(Module.Site, members[j], rows.Row(j));
            }

            sizes[block] = TensorPrimitives.SumOfSquares<float>(rows.Values);
            float[] change = new float[Module.Inputs];
            for (int c = 0; c < members.Length; c++)
            {
                change.AsSpan().Clear();
                Dense?.Row(members[c]).CopyTo(change);
                for (int j = 0; j < members.Length; j++)
                {
                    TensorPrimitives.MultiplyAdd(rows.Row(j), factors.Row(j)[c], change, change);
                }

                changes[block] += TensorPrimitives.SumOfSquares<float>(change);
            }
        });
        return (Math.Sqrt(changes.Sum()), Math.Sqrt(sizes.Sum()));
    }

    private (double Change, double Original) ScaledNorms(IBaseModel model, LowRank[] pairs, float[] scale)
    {
        RowChanges rows = pairs.Length == 0 ? RowChanges.None(model, Module) : RowChanges.Of(model, Module, LowRankProduct.Stack(pairs));
        return (Math.Sqrt(scale.Select((v, row) => rows.ScaledChange(row, v)).Sum()), Math.Sqrt(rows.Original.Sum()));
    }

    private (double Change, double Original) FormedNorms(IBaseModel model)
    {
        float[] original = new float[Module.Inputs];
        float[] changed = new float[Module.Inputs];
        (double change, double size) = (0, 0);
        for (int row = 0; row < Module.Outputs; row++)
        {
            model.CopyWeightRow(Module.Site, row, original);
            ChangedRow.Write(model, Module, Pairs, Dense, row, changed);
            if (OutputScale is not null && Module.Site.IsTable)
            {
                TensorPrimitives.Multiply(changed, OutputScale, changed);
            }
            else if (OutputScale is not null)
            {
                TensorPrimitives.Multiply(changed, OutputScale[row], changed);
            }

            TensorPrimitives.Subtract(changed, original, changed);
            change += TensorPrimitives.SumOfSquares(changed);
            size += TensorPrimitives.SumOfSquares(original);
        }

        return (Math.Sqrt(change), Math.Sqrt(size));
    }
}
