using System.Numerics.Tensors;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.LinearAlgebra;

namespace LoraServe.Adapters.Methods.Lora;

/// <summary>DoRA (Liu et al. 2024): W' = m∘(W + ΔW)/‖W + ΔW‖, the norm over the inputs of each output; at the token table over the tokens.</summary>
internal static class Dora
{
    /// <summary>‖W + scale·B·A‖ of each output, by which the magnitude m is divided to give the output scale.</summary>
    /// <param name="model">The base.</param>
    /// <param name="module">One of its linear maps, or the token table.</param>
    /// <param name="a">[rank, inputs]; at the table [rank, tokens].</param>
    /// <param name="b">[outputs, rank]; at the table [width, rank].</param>
    /// <param name="scale">Factor of the product.</param>
    /// <param name="norms">[outputs]; at the table [width].</param>
    public static void Norms(IBaseModel model, BaseModule module, FloatMatrix a, FloatMatrix b, float scale, Span<float> norms)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(module);
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        Norms(model, module, [new LowRank(module.Site, a, b, scale)], dense: null, norms);
    }

    /// <summary>‖W + dense + Σ scale·B·A‖ of each output.</summary>
    internal static void Norms(IBaseModel model, BaseModule module, IReadOnlyList<LowRank> pairs, FloatMatrix? dense, Span<float> norms)
    {
        if (module.Site.IsTable)
        {
            TableNorms(model, module, pairs, dense, norms);
        }
        else if (dense is null)
        {
            RowChanges changes = RowChanges.Of(model, module, LowRankProduct.Stack(pairs));
            for (int i = 0; i < norms.Length; i++)
            {
                norms[i] = changes.Norm(i);
            }
        }
        else
        {
            float[] row = new float[module.Inputs];
            for (int i = 0; i < norms.Length; i++)
            {
                ChangedRow.Write(model, module, pairs, dense, i, row);
                norms[i] = TensorPrimitives.Norm<float>(row);
            }
        }
    }

    private static void TableNorms(IBaseModel model, BaseModule module, IReadOnlyList<LowRank> pairs, FloatMatrix? dense, Span<float> norms)
    {
        float[] row = new float[norms.Length];
        double[] squares = new double[norms.Length];
        for (int token = 0; token < module.Outputs; token++)
        {
            ChangedRow.Write(model, module, pairs, dense, token, row);
            for (int i = 0; i < row.Length; i++)
            {
                squares[i] += (double)row[i] * row[i];
            }
        }

        for (int i = 0; i < norms.Length; i++)
        {
            norms[i] = (float)Math.Sqrt(squares[i]);
        }
    }
}
