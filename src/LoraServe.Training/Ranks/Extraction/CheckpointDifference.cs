using System.Numerics.Tensors;
using LoraServe.Adapters;
using LoraServe.Adapters.Edits;

namespace LoraServe.Training.Ranks.Extraction;

/// <summary>Compares the parameters of two checkpoints.</summary>
internal static class CheckpointDifference
{
    /// <summary>Refuses checkpoints of different shapes.</summary>
    /// <exception cref="RankChoiceException">They have; names the first difference.</exception>
    public static void CheckShapes(IBaseModel model, IBaseModel tuned)
    {
        if (model.LayerCount != tuned.LayerCount)
        {
            throw new RankChoiceException($"The base has {model.LayerCount} layers, the tuned checkpoint {tuned.LayerCount}; expected two checkpoints of one shape.");
        }

        foreach ((BaseModule first, BaseModule second) in model.Modules.Zip(tuned.Modules))
        {
            if (first != second)
            {
                throw new RankChoiceException($"The base has {Describe(first)}, the tuned checkpoint {Describe(second)}; expected two checkpoints of one shape.");
            }
        }
    }

    /// <summary>tuned − base of a weight, [outputs, inputs].</summary>
    /// <exception cref="RankChoiceException">An element is not finite.</exception>
    public static FloatMatrix Of(IBaseModel model, IBaseModel tuned, BaseModule module)
    {
        FloatMatrix change = tuned.Weight(module);
        float[] row = new float[module.Inputs];
        for (int i = 0; i < change.Rows; i++)
        {
            model.CopyWeightRow(module.Site, i, row);
            TensorPrimitives.Subtract(change.Row(i), row, change.Row(i));
            if (!float.IsFinite(TensorPrimitives.SumOfMagnitudes<float>(change.Row(i))))
            {
                throw new RankChoiceException($"{module.Path}.weight, row {i}: the difference is not finite. One of the checkpoints is damaged.");
            }
        }

        return change;
    }

    /// <summary>Whether a weight differs at all.</summary>
    public static bool Differs(IBaseModel model, IBaseModel tuned, BaseModule module)
    {
        float[] first = new float[module.Inputs];
        float[] second = new float[module.Inputs];
        for (int row = 0; row < module.Outputs; row++)
        {
            model.CopyWeightRow(module.Site, row, first);
            tuned.CopyWeightRow(module.Site, row, second);
            if (!first.AsSpan().SequenceEqual(second))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Every parameter that differs and is not the weight of a target, the greatest change first.</summary>
    public static IEnumerable<LostChange> Outside(IBaseModel model, IBaseModel tuned, IReadOnlySet<Site> targets)
    {
        // A head that is the table in both is compared as the table.
        bool isTied = model.TiedHead && tuned.TiedHead;
        var weights = model.Modules.Where(module => !targets.Contains(module.Site) && (module.Site != Site.Head || !isTied))
            .Select(module => new LostChange($"{module.Path}.weight", Relative(module.Outputs, module.Inputs, (source, row, values) => source.CopyWeightRow(module.Site, row, values))));
        var biases = model.Modules.Where(module => module.HasBias)
            .Select(module => new LostChange($"{module.Path}.bias", Relative(1, module.Outputs, (source, _, values) => source.CopyBias(module.Site, values))));
        var norms = model.Norms
            .Select(norm => new LostChange($"{norm.Path}.weight", Relative(1, norm.ParameterCount, (source, _, values) => source.CopyNorm(norm.Site, values))));
        return weights.Concat(biases).Concat(norms).Where(lost => lost.RelativeChange > 0).OrderByDescending(lost => lost.RelativeChange);

        double Relative(int rows, int width, Action<IBaseModel, int, float[]> copy)
        {
            float[] before = new float[width];
            float[] after = new float[width];
            double square = 0;
            double changeSquare = 0;
            for (int row = 0; row < rows; row++)
            {
                copy(model, row, before);
                copy(tuned, row, after);
                square += TensorPrimitives.SumOfSquares<float>(before);
                TensorPrimitives.Subtract(after, before, after);
                changeSquare += TensorPrimitives.SumOfSquares<float>(after);
            }

            return changeSquare == 0 ? 0 : Math.Sqrt(changeSquare / square);
        }
    }

    private static string Describe(BaseModule module) => $"{module.Path} [{module.Outputs}, {module.Inputs}]{(module.HasBias ? " with a bias" : "")}";
}
