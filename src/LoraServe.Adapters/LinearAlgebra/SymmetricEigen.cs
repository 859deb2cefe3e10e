using System.Numerics.Tensors;

namespace LoraServe.Adapters.LinearAlgebra;

/// <summary>Eigenvalues and eigenvectors of a symmetric matrix, in double.</summary>
/// <remarks>
/// Householder reflections make it tridiagonal, implicit QL steps make that diagonal (Wilkinson and Reinsch, Handbook for
/// Automatic Computation, II/2 and II/4). Eigenvalues are good to about 1e-15 of the greatest in magnitude. The steps' rotations are
/// kept and undone in reverse on the wanted vectors alone, which are then as orthogonal as if all had been rotated, also in clusters.
/// </remarks>
internal static class SymmetricEigen
{
    // Three steps an eigenvalue are usual; more than this happens only with numbers that are not finite.
    private const int MaxSteps = 60;

    /// <summary>All eigenvalues, descending.</summary>
    /// <param name="matrix">[size, size], of which the lower triangle is read and overwritten.</param>
    /// <param name="size">Number of rows.</param>
    /// <exception cref="ArithmeticException">An element is not finite.</exception>
    public static double[] Values(double[] matrix, int size)
    {
        double[] values = Tridiagonalize(matrix, size, out double[] beside, out _);
        Diagonalize(values, beside, sweeps: null);
        values.AsSpan().Sort((left, right) => right.CompareTo(left));
        return values;
    }

    /// <summary>The greatest eigenvalues, descending, with an eigenvector of length 1 for each.</summary>
    /// <param name="matrix">[size, size], of which the lower triangle is read and overwritten.</param>
    /// <param name="size">Number of rows.</param>
    /// <param name="count">How many of them.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ArithmeticException">An element is not finite.</exception>
    public static (double[] Values, double[][] Vectors) Leading(double[] matrix, int size, int count, CancellationToken cancellationToken = default)
    {
        double[] values = Tridiagonalize(matrix, size, out double[] beside, out double[] halfSquares, cancellationToken);
        var sweeps = new List<RotationSweep>();
        Diagonalize(values, beside, sweeps, cancellationToken);
        int[] places = [.. Enumerable.Range(0, size)];
        Array.Sort(values, places);
        Array.Reverse(values);
        Array.Reverse(places);

        // Row i holds element i of each vector, so that a rotation turns two short rows that lie side by side.
        double[] rows = new double[size * count];
        for (int k = 0; k < count; k++)
        {
            rows[(places[k] * count) + k] = 1;
        }

        for (int i = sweeps.Count - 1; i >= 0; i--)
        {
            cancellationToken.ThrowIfCancellationRequested();
            sweeps[i].Undo(rows, count);
        }

        double[][] vectors = [.. Enumerable.Range(0, count).Select(k => Enumerable.Range(0, size).Select(row => rows[(row * count) + k]).ToArray())];
        Reflect(matrix, halfSquares, vectors);
        return (values[..count], vectors);
    }

    /// <summary>
    /// Leaves reflection i's vector u in row i left of the diagonal: I − u·uᵀ/halfSquares[i], where halfSquares[i] = ‖u‖²/2.
    /// Gives the diagonal, and in <paramref name="beside"/>[i] the element left of diagonal element i.
    /// </summary>
    private static double[] Tridiagonalize(double[] matrix, int size, out double[] beside, out double[] halfSquares, CancellationToken cancellationToken = default)
    {
        double[] diagonal = new double[size];
        beside = new double[size];
        halfSquares = new double[size];
        double[] product = new double[size];
        for (int i = size - 1; i >= 0; i--)
        {
            cancellationToken.ThrowIfCancellationRequested();
            Span<double> u = matrix.AsSpan(i * size, i);
            diagonal[i] = matrix[(i * size) + i];
            if (i < 2)
            {
                beside[i] = i == 1 ? u[0] : 0;
                continue;
            }

            // Only the last element has a neighbour on the diagonal; where the others are zero nothing is to be done.
            double largest = TensorPrimitives.MaxMagnitude<double>(u[..^1]);
            if (largest == 0)
            {
                beside[i] = u[^1];
                continue;
            }

            double scale = Math.Max(Math.Abs(largest), Math.Abs(u[^1]));
            TensorPrimitives.Divide(u, scale, u);
            double square = TensorPrimitives.SumOfSquares<double>(u);
            double last = u[^1];
            double root = last >= 0 ? -Math.Sqrt(square) : Math.Sqrt(square);
            beside[i] = scale * root;
            u[^1] = last - root;
            halfSquares[i] = square - (last * root);
            ReflectRest(matrix, size, u, halfSquares[i], product.AsSpan(0, i));
        }

        return diagonal;
    }

    /// <summary>S ← P·S·P for the leading block S that is as large as u: S − u·qᵀ − q·uᵀ with p = S·u/h and q = p − u·(uᵀp)/2h.</summary>
    private static void ReflectRest(double[] matrix, int size, ReadOnlySpan<double> u, double half, Span<double> q)
    {
        q.Clear();
        for (int row = 0; row < u.Length; row++)
        {
            ReadOnlySpan<double> left = matrix.AsSpan(row * size, row);
            q[row] += TensorPrimitives.Dot(left, u[..row]) + (matrix[(row * size) + row] * u[row]);
            TensorPrimitives.MultiplyAdd(left, u[row], q[..row], q[..row]);
        }

        TensorPrimitives.Divide(q, half, q);
        TensorPrimitives.MultiplyAdd(u, -TensorPrimitives.Dot(u, q) / (2 * half), q, q);
        for (int row = 0; row < u.Length; row++)
        {
            Span<double> left = matrix.AsSpan(row * size, row + 1);
            TensorPrimitives.MultiplyAdd(u[..(row + 1)], -q[row], left, left);
            TensorPrimitives.MultiplyAdd(q[..(row + 1)], -u[row], left, left);
        }
    }

    /// <summary>Takes eigenvectors of the tridiagonal matrix to those of the original.</summary>
    private static void Reflect(double[] matrix, double[] halfSquares, double[][] vectors)
    {
        int size = halfSquares.Length;
        for (int i = 2; i < size; i++)
        {
            if (halfSquares[i] != 0)
            {
                ReadOnlySpan<double> u = matrix.AsSpan(i * size, i);
                foreach (double[] vector in vectors)
                {
                    Span<double> part = vector.AsSpan(0, i);
                    TensorPrimitives.MultiplyAdd(u, -TensorPrimitives.Dot(u, part) / halfSquares[i], part, part);
                }
            }
        }
    }

    /// <summary>QL steps with implicit shifts, whose rotations are noted in <paramref name="sweeps"/>.</summary>
    private static void Diagonalize(double[] diagonal, double[] beside, List<RotationSweep>? sweeps, CancellationToken cancellationToken = default)
    {
        int size = diagonal.Length;
        double[] right = new double[size];
        beside.AsSpan(1).CopyTo(right);
        for (int first = 0; first < size; first++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            for (int step = 0; ; step++)
            {
                int end = first;
                while (end < size - 1 && !IsNegligible(right[end], diagonal[end], diagonal[end + 1]))
                {
                    end++;
                }

                if (end == first)
                {
                    break;
                }

                if (step == MaxSteps)
                {
                    throw new ArithmeticException("The eigenvalues do not converge; an element of the matrix is not a finite number.");
                }

                RotationSweep? sweep = sweeps is null ? null : new RotationSweep(first, end);
                StepOnce(diagonal, right, first, end, sweep);
                if (sweep is not null)
                {
                    sweeps!.Add(sweep);
                }
            }
        }
    }

    private static bool IsNegligible(double beside, double here, double next)
    {
        double size = Math.Abs(here) + Math.Abs(next);
        return Math.Abs(beside) + size == size;
    }

    private static void StepOnce(double[] diagonal, double[] right, int first, int end, RotationSweep? sweep)
    {
        double g = (diagonal[first + 1] - diagonal[first]) / (2 * right[first]);
        double r = double.Hypot(g, 1);
        g = diagonal[end] - diagonal[first] + (right[first] / (g + Math.CopySign(r, g)));
        double sine = 1;
        double cosine = 1;
        double shift = 0;
        for (int i = end - 1; i >= first; i--)
        {
            double f = sine * right[i];
            double b = cosine * right[i];
            r = double.Hypot(f, g);
            right[i + 1] = r;
            if (r == 0)
            {
                // The matrix has fallen into two parts here.
                diagonal[i + 1] -= shift;
                right[end] = 0;
                return;
            }

            sine = f / r;
            cosine = g / r;
            g = diagonal[i + 1] - shift;
            r = ((diagonal[i] - g) * sine) + (2 * cosine * b);
            shift = sine * r;
            diagonal[i + 1] = g + shift;
            g = (cosine * r) - b;
            sweep?.Note(i, cosine, sine);
        }

        diagonal[first] -= shift;
        right[first] = g;
        right[end] = 0;
    }
}
