using System.Numerics.Tensors;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Gradients;

namespace LoraServe.Adapters.Methods.Delora;

/// <summary>DeLoRA's change of a weight, Σ_k λ/r · b_k·a_kᵀ / (‖a_k‖·‖b_k‖), each column times the norm of the weight's; and the way back.</summary>
/// <param name="A">a_k, [rank, inputs].</param>
/// <param name="B">b_k, [outputs, rank].</param>
/// <param name="Bound">λ.</param>
/// <param name="WeightNorms">Norms of the weight's columns, [inputs].</param>
internal sealed record NormalisedPair(FloatMatrix A, FloatMatrix B, float Bound, float[] WeightNorms)
{
    // Norms below count as this.
    private const float LeastNorm = 1e-4f;

    /// <summary>The change.</summary>
    public LowRank Edit(Site site)
    {
        var a = new FloatMatrix(A.Rows, A.Columns);
        for (int k = 0; k < a.Rows; k++)
        {
            TensorPrimitives.Multiply(A.Row(k), WeightNorms, a.Row(k));
            TensorPrimitives.Multiply(a.Row(k), Bound * PerBound(k), a.Row(k));
        }

        return new LowRank(site, a, B, 1);
    }

    /// <summary>Adds the derivatives by a, b and λ that those by the change's pair come to.</summary>
    public void Pull(LinearEditGradient change, float[] dA, float[] dB, float[] dBound)
    {
        TensorPrimitives.Add(dB, change.B!.Values, dB);
        float[] row = new float[A.Columns];
        for (int k = 0; k < A.Rows; k++)
        {
            float scale = Bound * PerBound(k);
            TensorPrimitives.Multiply(change.A!.Values.AsSpan(k * A.Columns, A.Columns), WeightNorms, row);
            float byScale = TensorPrimitives.Dot(row, A.Row(k));
            dBound[0] += byScale * PerBound(k);

            // The scale falls with the norms, whose derivatives are a_k/‖a_k‖ and b_k/‖b_k‖.
            Span<float> dRow = dA.AsSpan(k * A.Columns, A.Columns);
            TensorPrimitives.MultiplyAdd(row, scale, dRow, dRow);
            float norm = TensorPrimitives.Norm(A.Row(k));
            if (norm > LeastNorm)
            {
                TensorPrimitives.MultiplyAdd(A.Row(k), -byScale * scale / norm / norm, dRow, dRow);
            }

            norm = ColumnNorm(k);
            for (int output = 0; norm > LeastNorm && output < B.Rows; output++)
            {
                dB[(output * B.Columns) + k] -= byScale * scale / norm / norm * B.Row(output)[k];
            }
        }
    }

    /// <summary>Scale of a term over λ.</summary>
    private float PerBound(int k) => 1 / (A.Rows * Math.Max(TensorPrimitives.Norm(A.Row(k)), LeastNorm) * Math.Max(ColumnNorm(k), LeastNorm));

    private float ColumnNorm(int k)
    {
        double sum = 0;
        for (int output = 0; output < B.Rows; output++)
        {
            sum += (double)B.Row(output)[k] * B.Row(output)[k];
        }

        return (float)Math.Sqrt(sum);
    }
}
