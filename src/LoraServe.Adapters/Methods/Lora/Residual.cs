using System.Numerics.Tensors;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.LinearAlgebra;
using LoraServe.Compute.Matrices;

namespace LoraServe.Adapters.Methods.Lora;

/// <summary>What methods that begin from the base's own weights leave of the base, as edits: the adapter was trained on that.</summary>
internal static class Residual
{
    /// <summary>PiSSA (Meng et al. 2024): W − U_r·S_r·V_rᵀ.</summary>
    public static LowRank Pissa(Site site, FloatMatrix weight, int rank)
    {
        TruncatedSvd svd = TruncatedSvd.Of(weight, rank);
        return new LowRank(site, svd.Right, svd.ScaledLeft, -1);
    }

    /// <summary>OLoRA (Büyükakyüz 2024): W − scale·Q[:, :r]·R[:r] with W = Q·R, where R[:r] = Q[:, :r]ᵀ·W.</summary>
    public static LowRank Olora(Site site, FloatMatrix weight, int rank, float scale)
    {
        int count = Math.Min(rank, Math.Min(weight.Rows, weight.Columns));
        double[][] directions = Orthonormal(weight, count);
        var b = new FloatMatrix(weight.Rows, count);
        var a = new FloatMatrix(count, weight.Columns);
        double[] sum = new double[weight.Columns];
        for (int k = 0; k < count; k++)
        {
            Array.Clear(sum);
            for (int row = 0; row < weight.Rows; row++)
            {
                b.Values[(row * count) + k] = (float)directions[k][row];
                ReadOnlySpan<float> values = weight.Row(row);
                for (int column = 0; column < sum.Length; column++)
                {
                    sum[column] += directions[k][row] * values[column];
                }
            }

            for (int column = 0; column < sum.Length; column++)
            {
                a.Row(k)[column] = (float)sum[column];
            }
        }

        return new LowRank(site, a, b, -scale);
    }

    /// <summary>KaSA (Wang et al. 2024): W without the least singular values, as many as the rank.</summary>
    public static LowRank Kasa(Site site, FloatMatrix weight, int rank)
    {
        // Their vectors on the shorter side are those of the least eigenvalues of its Gram matrix, which is U·Uᵀ·W or W·V·Vᵀ of them.
        bool isFlat = weight.Rows <= weight.Columns;
        FloatMatrix flat = isFlat ? weight : weight.Transposed();
        double[] gram = GramMatrix.OfRows(flat);
        TensorPrimitives.Negate(gram, gram);
        (_, double[][] vectors) = SymmetricEigen.Leading(gram, flat.Rows, rank);
        var directions = new FloatMatrix(rank, flat.Rows, [.. vectors.SelectMany(vector => vector).Select(value => (float)value)]);
        FloatMatrix images = DenseProduct.Of(directions, flat);
        return isFlat ? new LowRank(site, images, directions.Transposed(), -1) : new LowRank(site, directions, images.Transposed(), -1);
    }

    /// <summary>LoftQ (Li et al. 2023): the NF4 rounding of W − L·R after some rounds in which L·R is fitted to what rounding lost.</summary>
    /// <returns>That rounding less W.</returns>
    public static DenseDelta Loftq(Site site, FloatMatrix weight, int rank, int iterations)
    {
        float[] target = (float[])weight.Values.Clone();
        float[] rounded = [];
        for (int round = 0; round < iterations; round++)
        {
            rounded = Nf4.Round(target);
            if (round + 1 < iterations)
            {
                float[] lost = new float[rounded.Length];
                TensorPrimitives.Subtract(weight.Values, rounded, lost);
                TruncatedSvd svd = TruncatedSvd.Of(new FloatMatrix(weight.Rows, weight.Columns, lost), rank);
                weight.Values.CopyTo(target, 0);
                LowRankProduct.Add(new FloatMatrix(weight.Rows, weight.Columns, target), svd.Right, svd.ScaledLeft, -1);
            }
        }

        TensorPrimitives.Subtract(rounded, weight.Values, rounded);
        return new DenseDelta(site, new FloatMatrix(weight.Rows, weight.Columns, rounded));
    }

    // The first columns of Q, by Gram and Schmidt, twice for accuracy. Signs do not matter to Q·Qᵀ.
    private static double[][] Orthonormal(FloatMatrix weight, int count)
    {
        double[][] directions = new double[count][];
        for (int k = 0; k < count; k++)
        {
            double[] column = new double[weight.Rows];
            for (int row = 0; row < weight.Rows; row++)
            {
                column[row] = weight.Row(row)[k];
            }

            for (int pass = 0; pass < 2; pass++)
            {
                for (int earlier = 0; earlier < k; earlier++)
                {
                    double along = TensorPrimitives.Dot<double>(directions[earlier], column);
                    TensorPrimitives.MultiplyAdd(directions[earlier], -along, column, column);
                }
            }

            double norm = TensorPrimitives.Norm<double>(column);
            TensorPrimitives.Multiply(column, norm > 0 ? 1 / norm : 0, column);
            directions[k] = column;
        }

        return directions;
    }
}
