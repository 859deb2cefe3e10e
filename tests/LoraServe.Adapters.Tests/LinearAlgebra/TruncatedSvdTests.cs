using LoraServe.Adapters.Edits;
using LoraServe.Adapters.LinearAlgebra;
using MathNet.Numerics.LinearAlgebra.Double;

namespace LoraServe.Adapters.Tests.LinearAlgebra;

public sealed class TruncatedSvdTests
{
    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(7, 3, 2)]
    [InlineData(3, 7, 5)]
    [InlineData(40, 30, 30)]
    [InlineData(120, 150, 6)]
    [InlineData(150, 120, 50)]
    [InlineData(64, 200, 3)]
    public void Of_RandomMatrix_AgreesWithTheWholeDecomposition(int rows, int columns, int rank)
    {
        var random = new Random(rows);
        var matrix = new FloatMatrix(rows, columns, [.. Enumerable.Range(0, rows * columns).Select(_ => (float)(random.NextDouble() - 0.5))]);
        TruncatedSvd svd = TruncatedSvd.Of(matrix, rank);
        double[] expected = [.. DenseMatrix.Create(rows, columns, (i, j) => matrix.Row(i)[j]).Svd(computeVectors: false).S.Take(rank)];
        Assert.All(expected.Zip(svd.Values), pair => Assert.Equal(pair.First, pair.Second, 6));

        double all = matrix.Values.Sum(value => (double)value * value);
        LowRankProduct.Add(matrix, svd.Right, svd.ScaledLeft, -1);
        Assert.Equal(all - expected.Sum(value => value * value), matrix.Values.Sum(value => (double)value * value), 4);
    }

    [Fact]
    public void Of_MatrixOfLowerRank_EndsWithZeros()
    {
        var matrix = new FloatMatrix(6, 5);
        matrix.Row(2)[3] = 2;
        TruncatedSvd svd = TruncatedSvd.Of(matrix, 3);
        Assert.Equal(2, svd.Values[0], 6);
        Assert.All(svd.Values.Skip(1), value => Assert.Equal(0, value, 6));
    }
}
