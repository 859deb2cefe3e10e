using LoraServe.Adapters.Edits;

namespace LoraServe.Adapters.LinearAlgebra;

/// <summary>How each row w of a base's weight lies to its change δ = Σ scale·b·A, without forming either matrix.</summary>
/// <param name="Original">‖w‖², [outputs].</param>
/// <param name="Inner">w·δ, [outputs].</param>
/// <param name="Change">‖δ‖², [outputs].</param>
internal sealed record RowChanges(double[] Original, double[] Inner, double[] Change)
{
    /// <summary>Measures a pair at a linear map: one product W·Aᵀ, the rest is as small as the rank; sums are in double.</summary>
    public static RowChanges Of(IBaseModel model, BaseModule module, LowRank pair)
    {
        (FloatMatrix a, FloatMatrix b, float scale) = (pair.A, pair.B, pair.Scale);
        double[] inner = new double[module.Outputs];
        double[] change = new double[module.Outputs];
        var products = new FloatMatrix(a.Rows, module.Outputs);
        model.Multiply(module.Site, a, products);
        double[] gram = GramMatrix.OfRows(a);
        double square = (double)scale * scale;
        for (int i = 0; i < module.Outputs; i++)
        {
            ReadOnlySpan<float> row = b.Row(i);
            (double along, double length) = (0, 0);
            for (int k = 0; k < row.Length; k++)
            {
                along += (double)row[k] * products.Values[(k * module.Outputs) + i];
                double sum = 0.5 * gram[(k * row.Length) + k] * row[k];
                for (int l = 0; l < k; l++)
                {
                    sum += gram[(k * row.Length) + l] * row[l];
                }

                length += 2 * row[k] * sum;
            }

            inner[i] = scale * along;
            change[i] = square * length;
        }

        return new RowChanges(WeightNorms.Of(model, module).Rows, inner, change);
    }

    /// <summary>No change at all.</summary>
    public static RowChanges None(IBaseModel model, BaseModule module) =>
        new(WeightNorms.Of(model, module).Rows, new double[module.Outputs], new double[module.Outputs]);

    /// <summary>‖w + δ‖ of a row.</summary>
    public float Norm(int row) => (float)Math.Sqrt(Math.Max(Original[row] + (2 * Inner[row]) + Change[row], 0));

    /// <summary>‖v·(w + δ) − w‖² of a row.</summary>
    public double ScaledChange(int row, double v) =>
        Math.Max(((v - 1) * (v - 1) * Original[row]) + (2 * v * (v - 1) * Inner[row]) + (v * v * Change[row]), 0);
}
