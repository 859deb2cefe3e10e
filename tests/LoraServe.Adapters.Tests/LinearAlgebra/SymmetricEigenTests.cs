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
    public void Leading_RandomMatrix_GivesEigenvectors(int size, int count)
    {
        double[] matrix = Random(size);

        (double[] values, double[][] vectors) = SymmetricEigen.Leading([.. matrix], size, count);

        Assert.Equal(values.OrderDescending(), values);
        for (int k = 0; k < count; k++)
        {
            for (int row = 0; row < size; row++)
            {
                double image = Enumerable.Range(0, size).Sum(column => matrix[(row * size) + column] * vectors[k][column]);
                Assert.Equal(values[k] * vectors[k][row], image, 12);
            }

            Assert.All(Enumerable.Range(0, count), other => Assert.Equal(k == other ? 1 : 0, vectors[k].Zip(vectors[other], (x, y) => x * y).Sum(), 12));
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
