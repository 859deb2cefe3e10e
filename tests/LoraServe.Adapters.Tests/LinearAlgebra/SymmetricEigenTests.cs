using LoraServe.Adapters.LinearAlgebra;
using MathNet.Numerics.LinearAlgebra.Double;

namespace LoraServe.Adapters.Tests.LinearAlgebra;

public sealed class SymmetricEigenTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(17)]
    [InlineData(60)]
    public void Values_RandomMatrix_AgreeWithAnotherDecomposition(int size)
    {
        double[] matrix = Random(size);
        double[] expected = [.. DenseMatrix.Create(size, size, (i, j) => matrix[(i * size) + j]).Evd().EigenValues.Select(value => value.Real).OrderDescending()];

        double[] values = SymmetricEigen.Values([.. matrix], size);

        Assert.All(expected.Zip(values), pair => Assert.Equal(pair.First, pair.Second, 12));
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 1)]
    [InlineData(17, 17)]
    [InlineData(60, 5)]
    public void Leading_RandomMatrix_GivesEigenvectors(int size, int count) => CheckLeading(Random(size), size, count);

    /// <summary>Matrices whose eigenvectors are not unique, or nearly so, and such as fall into parts.</summary>
    [Theory]
    [InlineData("zero", 7)]
    [InlineData("identity", 7)]
    [InlineData("repeated", 12)]
    [InlineData("rank 2", 20)]
    [InlineData("clustered", 30)]
    [InlineData("in parts", 24)]
    [InlineData("glued Wilkinson", 63)]
    public void Leading_DegenerateMatrix_GivesOrthogonalEigenvectors(string kind, int size)
    {
        double[] matrix = Degenerate(kind, size);
        double[] expected = [.. DenseMatrix.Create(size, size, (i, j) => matrix[(i * size) + j]).Evd().EigenValues.Select(value => value.Real).OrderDescending()];

        foreach (int count in new[] { 1, 3, size })
        {
            double[] values = CheckLeading(matrix, size, count);
            Assert.All(expected.Zip(values), pair => Assert.Equal(pair.First, pair.Second, 10));
        }
    }

    [Fact]
    public void Leading_SimpleEigenvalues_AgreesWithAnotherDecomposition()
    {
        const int Size = 40;
        double[] matrix = Random(Size);
        MathNet.Numerics.LinearAlgebra.Matrix<double> other = DenseMatrix.Create(Size, Size, (i, j) => matrix[(i * Size) + j]).Evd().EigenVectors;

        (_, double[][] vectors) = SymmetricEigen.Leading([.. matrix], Size, 6);

        for (int k = 0; k < vectors.Length; k++)
        {
            Assert.Equal(1, Math.Abs(other.Column(Size - 1 - k).DotProduct(MathNet.Numerics.LinearAlgebra.Vector<double>.Build.Dense(vectors[k]))), 10);
        }
    }

    [Fact]
    public void Values_DiagonalMatrixWithRepeats_AreItsElements()
    {
        double[] matrix = new double[16];
        (matrix[0], matrix[5], matrix[10], matrix[15]) = (2, -1, 2, 0);

        Assert.Equal([2, 2, 0, -1], SymmetricEigen.Values(matrix, 4));
    }

    [Fact]
    public void Values_OfWhatIsNotANumber_AreRefused()
    {
        double[] matrix = Random(5);
        matrix[10] = double.NaN;

        Assert.Throws<ArithmeticException>(() => SymmetricEigen.Values(matrix, 5));
    }

    private static double[] CheckLeading(double[] matrix, int size, int count)
    {
        double norm = Math.Max(1, matrix.Max(Math.Abs) * size);
        (double[] values, double[][] vectors) = SymmetricEigen.Leading([.. matrix], size, count);

        Assert.Equal(count, values.Length);
        Assert.Equal(values.OrderDescending(), values);
        for (int k = 0; k < count; k++)
        {
            for (int row = 0; row < size; row++)
            {
                double image = Enumerable.Range(0, size).Sum(column => matrix[(row * size) + column] * vectors[k][column]);
                Assert.Equal(values[k] * vectors[k][row] / norm, image / norm, 13);
            }

            Assert.All(Enumerable.Range(0, count), other => Assert.Equal(k == other ? 1 : 0, vectors[k].Zip(vectors[other], (x, y) => x * y).Sum(), 12));
        }

        return values;
    }

    private static double[] Degenerate(string kind, int size)
    {
        double[] spectrum = kind switch
        {
            "zero" => new double[size],
            "identity" => [.. Enumerable.Repeat(1.0, size)],
            "repeated" => [.. Enumerable.Range(0, size).Select(i => (double)(i / 4))],
            "rank 2" => [5, 3, .. new double[size - 2]],
            "clustered" => [.. Enumerable.Range(0, size).Select(i => (i % 3) + (1e-13 * i))],
            _ => [],
        };
        double[] matrix = new double[size * size];
        if (spectrum.Length > 0)
        {
            // Turned by a reflection, so that it is full.
            double[] u = [.. Enumerable.Range(1, size).Select(i => Math.Sin(i) / Math.Sqrt(size))];
            double square = u.Sum(x => x * x);
            double Turn(int i, int j) => (i == j ? 1 : 0) - (2 * u[i] * u[j] / square);
            for (int i = 0; i < size; i++)
            {
                for (int j = 0; j < size; j++)
                {
                    matrix[(i * size) + j] = Enumerable.Range(0, size).Sum(k => Turn(i, k) * spectrum[k] * Turn(k, j));
                }
            }

            return matrix;
        }

        // Wilkinson's W21+, whose greatest eigenvalues come in pairs that agree to 14 digits, three times; or blocks that nothing joins.
        for (int i = 0; i < size; i++)
        {
            matrix[(i * size) + i] = kind == "in parts" ? 1 + (i % 2) : Math.Abs((i % 21) - 10);
            if (i > 0)
            {
                double beside = kind == "in parts" ? i % 4 == 0 ? 0 : 0.5 : i % 21 == 0 ? 1e-8 : 1;
                matrix[(i * size) + i - 1] = matrix[((i - 1) * size) + i] = beside;
            }
        }

        return matrix;
    }

    private static double[] Random(int size)
    {
        var random = new Random(size);
        double[] matrix = new double[size * size];
        for (int row = 0; row < size; row++)
        {
            for (int column = 0; column <= row; column++)
            {
                matrix[(row * size) + column] = matrix[(column * size) + row] = random.NextDouble() - 0.5;
            }
        }

        return matrix;
    }
}
