using LoraServe.Adapters.Edits;

namespace LoraServe.Adapters.LinearAlgebra;

/// <summary>The singular values of a matrix, without their vectors.</summary>
public static class SingularValues
{
    /// <summary>All of them, descending: as many as the smaller side is long.</summary>
    /// <remarks>
    /// Roots of the eigenvalues of W·Wᵀ in double: good to about 1e-8 of the greatest one, and several times as fast as a
    /// decomposition of W itself.
    /// </remarks>
    /// <param name="matrix">The matrix.</param>
    /// <exception cref="ArithmeticException">An element is not finite.</exception>
    public static double[] Of(FloatMatrix matrix)
    {
        ArgumentNullException.ThrowIfNull(matrix);
        FloatMatrix flat = matrix.Rows <= matrix.Columns ? matrix : matrix.Transposed();
        double[] values = SymmetricEigen.Values(GramMatrix.OfRows(flat), flat.Rows);
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = Math.Sqrt(Math.Max(values[i], 0));
        }

        return values;
    }
}
