using System.Collections.Concurrent;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using LoraServe.Adapters.Edits;

namespace LoraServe.Adapters.LinearAlgebra;

/// <summary>Squared norms of the rows and columns of a base's weight. The base is frozen, so they are found once.</summary>
internal sealed class WeightNorms
{
    private static readonly ConditionalWeakTable<IBaseModel, ConcurrentDictionary<Site, WeightNorms>> s_known = [];

    private WeightNorms(IBaseModel model, BaseModule module)
    {
        Rows = new double[module.Outputs];
        Columns = new double[module.Inputs];
        float[] row = new float[module.Inputs];
        double[] squares = new double[module.Inputs];
        for (int i = 0; i < Rows.Length; i++)
        {
            model.CopyWeightRow(module.Site, i, row);
            TensorPrimitives.ConvertTruncating<float, double>(row, squares);
            TensorPrimitives.Multiply<double>(squares, squares, squares);
            TensorPrimitives.Add<double>(Columns, squares, Columns);
            Rows[i] = TensorPrimitives.Sum<double>(squares);
        }
    }

    /// <summary>‖W[i, :]‖², [outputs].</summary>
    public double[] Rows { get; }

    /// <summary>‖W[:, j]‖², [inputs].</summary>
    public double[] Columns { get; }

    /// <summary>The norms of a module's weight.</summary>
    public static WeightNorms Of(IBaseModel model, BaseModule module) =>
        s_known.GetOrCreateValue(model).GetOrAdd(module.Site, (_, of) => new WeightNorms(of.model, of.module), (model, module));
}
