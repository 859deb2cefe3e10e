using System.Numerics.Tensors;
using LoraServe.Adapters.Edits;

namespace LoraServe.Adapters.LinearAlgebra;

/// <summary>A product of reflections, H_1 H_2 … = I − Σ_k p_k·q_kᵀ with H_k = I − 2·q_k·q_kᵀ; and the way back of derivatives.</summary>
internal sealed class HouseholderProduct
{
    private readonly bool _orthogonalises;
    private readonly float[] _lengths;

    // Gram and Schmidt's Σ over j < k: what q_j was taken off the k-th vector.
    private readonly FloatMatrix _removed;

    /// <summary>Reflections along the columns of a matrix.</summary>
    /// <param name="columns">[n, r].</param>
    /// <param name="orthogonalises">Whether each column is first made orthogonal to those before it (Gram and Schmidt).</param>
    public HouseholderProduct(FloatMatrix columns, bool orthogonalises)
    {
        _orthogonalises = orthogonalises;
        Directions = columns.Transposed();
        Combined = new FloatMatrix(columns.Columns, columns.Rows);
        _lengths = new float[columns.Columns];
        _removed = new FloatMatrix(columns.Columns, columns.Columns);
        for (int k = 0; k < columns.Columns; k++)
        {
            Span<float> direction = Directions.Row(k);
            for (int j = 0; j < k && orthogonalises; j++)
            {
                float part = TensorPrimitives.Dot(Directions.Row(j), direction);
                _removed.Row(k)[j] = part;
                TensorPrimitives.MultiplyAdd(Directions.Row(j), -part, direction, direction);
            }

            _lengths[k] = TensorPrimitives.Norm<float>(direction);
            TensorPrimitives.Divide(direction, _lengths[k], direction);
            Span<float> combined = Combined.Row(k);
            TensorPrimitives.Multiply(direction, 2, combined);
            for (int j = 0; j < k && !orthogonalises; j++)
            {
                TensorPrimitives.MultiplyAdd(Combined.Row(j), -2 * TensorPrimitives.Dot(Directions.Row(j), direction), combined, combined);
            }
        }
    }

    /// <summary>q, [r, n].</summary>
    public FloatMatrix Directions { get; }

    /// <summary>p, [r, n].</summary>
    public FloatMatrix Combined { get; }

    /// <summary>The derivative by the columns, [n, r], of one by directions and combined directions, which are used up.</summary>
    public FloatMatrix Back(FloatMatrix directions, FloatMatrix combined)
    {
        for (int k = Directions.Rows - 1; k >= 0; k--)
        {
            Span<float> direction = Directions.Row(k);
            Span<float> dp = combined.Row(k);
            Span<float> dq = directions.Row(k);
            TensorPrimitives.MultiplyAdd(dp, 2, dq, dq);
            for (int j = 0; j < k && !_orthogonalises; j++)
            {
                float overlap = TensorPrimitives.Dot(Directions.Row(j), direction);
                float byOverlap = -2 * TensorPrimitives.Dot<float>(dp, Combined.Row(j));
                TensorPrimitives.MultiplyAdd(dp, -2 * overlap, combined.Row(j), combined.Row(j));
                TensorPrimitives.MultiplyAdd(direction, byOverlap, directions.Row(j), directions.Row(j));
                TensorPrimitives.MultiplyAdd(Directions.Row(j), byOverlap, dq, dq);
            }
        }

        for (int k = Directions.Rows - 1; k >= 0; k--)
        {
            BackToColumn(k, directions);
        }

        return directions.Transposed();
    }

    /// <summary>Through the division by its length, then through what was taken off before it, last first.</summary>
    private void BackToColumn(int k, FloatMatrix gradients)
    {
        Span<float> direction = Directions.Row(k);
        Span<float> gradient = gradients.Row(k);
        TensorPrimitives.MultiplyAdd(direction, -TensorPrimitives.Dot<float>(direction, gradient), gradient, gradient);
        TensorPrimitives.Divide(gradient, _lengths[k], gradient);
        if (!_orthogonalises)
        {
            return;
        }

        float[] vector = new float[direction.Length];
        TensorPrimitives.Multiply(direction, _lengths[k], vector);
        for (int j = k - 1; j >= 0; j--)
        {
            // v' = v − (q·v)·q
            Span<float> q = Directions.Row(j);
            TensorPrimitives.MultiplyAdd(q, _removed.Row(k)[j], vector, vector);
            float along = TensorPrimitives.Dot<float>(gradient, q);
            TensorPrimitives.MultiplyAdd(gradient, -_removed.Row(k)[j], gradients.Row(j), gradients.Row(j));
            TensorPrimitives.MultiplyAdd(vector, -along, gradients.Row(j), gradients.Row(j));
            TensorPrimitives.MultiplyAdd(q, -along, gradient, gradient);
        }
    }
}
