using LoraServe.Adapters.Edits;
using LoraServe.Adapters.LinearAlgebra;
using MathNet.Numerics.LinearAlgebra.Double;

namespace LoraServe.Adapters.Tests.LinearAlgebra;

public sealed class SingularValuesTests
{
    [Theory]
    [InlineData(1, 9)]
    [InlineData(30, 300)]
    [InlineData(131, 70)]
    public void Of_RandomMatrix_AgreesWithAnotherDecomposition(int rows, int columns)
    {
        var random = new Random(columns);
        var matrix = new FloatMatrix(rows, columns, [.. Enumerable.Range(0, rows * columns).Select(_ => (float)(random.NextDouble() - 0.5))]);
        double[] expected = [.. DenseMatrix.Create(rows, columns, (i, j) => matrix.Row(i)[j]).Svd(computeVectors: false).S];

        double[] values = SingularValues.Of(matrix);

        Assert.Equal(Math.Min(rows, columns), values.Length);
        Assert.All(expected.Zip(values), pair => Assert.Equal(pair.First, pair.Second, 1e-8 * expected[0]));
    }

    [Fact]
    public void Of_Zeros_AreZeros() => Assert.Equal([0, 0, 0], SingularValues.Of(new FloatMatrix(3, 5)));
}
