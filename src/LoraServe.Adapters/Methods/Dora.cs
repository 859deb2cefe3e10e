using System.Numerics.Tensors;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.LinearAlgebra;

namespace LoraServe.Adapters.Methods;

/// <summary>DoRA (Liu et al. 2024): W' = m∘(W + ΔW)/‖W + ΔW‖, the norm over the inputs of each output.</summary>
internal static class Dora
{
    /// <summary>The scale m/‖W + ΔW‖ of each output of a linear map.</summary>
    /// <param name="magnitude">m, [outputs].</param>
    /// <param name="directionRow">Writes a row of W + ΔW.</param>
    /// <param name="width">Length of a row.</param>
    public static float[] Scale(float[] magnitude, Action<int, float[]> directionRow, int width)
    {
        float[] row = new float[width];
        return [.. magnitude.Select((m, output) =>
        {
            directionRow(output, row);
            return m / TensorPrimitives.Norm(row);
        })];
    }

    /// <summary>The scale of each column of the token table, whose norms run over the tokens.</summary>
    /// <param name="magnitude">m, [width].</param>
    /// <param name="directionRow">Writes a row of the table + ΔW.</param>
    /// <param name="tokens">Number of rows.</param>
    public static float[] TableScale(float[] magnitude, Action<int, float[]> directionRow, int tokens)
    {
        float[] row = new float[magnitude.Length];
        double[] squares = new double[magnitude.Length];
        for (int token = 0; token < tokens; token++)
        {
            directionRow(token, row);
            for (int i = 0; i < row.Length; i++)
            {
                squares[i] += (double)row[i] * row[i];
            }
        }

        return [.. magnitude.Zip(squares, (m, square) => (float)(m / Math.Sqrt(square)))];
    }

    /// <summary>Writes a row of base + dense + Σ scale·B·A at a linear map or at the table.</summary>
    public static void DirectionRow(IBaseModel model, BaseModule module, IReadOnlyList<LowRank> pairs, FloatMatrix? dense, int row, float[] destination)
    {
        model.CopyWeightRow(module.Site, row, destination);
        if (dense is not null)
        {
            TensorPrimitives.Add(destination, dense.Row(row), destination);
        }

        foreach (LowRank pair in pairs)
        {
            if (module.Site == Site.Embedding)
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
