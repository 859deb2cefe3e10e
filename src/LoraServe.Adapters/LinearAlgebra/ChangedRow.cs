using System.Numerics.Tensors;
using LoraServe.Adapters.Edits;

namespace LoraServe.Adapters.LinearAlgebra;

/// <summary>A row of a base's weight with changes added.</summary>
internal static class ChangedRow
{
    /// <summary>Writes a row of base + dense + Σ scale·B·A at a linear map or at the table.</summary>
    public static void Write(IBaseModel model, BaseModule module, IReadOnlyList<LowRank> pairs, FloatMatrix? dense, int row, float[] destination)
    {
        model.CopyWeightRow(module.Site, row, destination);
        if (dense is not null)
        {
            TensorPrimitives.Add(destination, dense.Row(row), destination);
        }

        foreach (LowRank pair in pairs)
        {
            if (module.Site.IsTable)
            {
                LowRankProduct.AddTableRow(destination, pair, row);
            }
            else
            {
                LowRankProduct.AddRow(destination, pair.A, pair.B.Row(row), pair.Scale);
            }
        }
    }
}
