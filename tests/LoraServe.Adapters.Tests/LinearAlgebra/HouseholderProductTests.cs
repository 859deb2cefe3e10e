using LoraServe.Adapters.Edits;
using LoraServe.Adapters.LinearAlgebra;

namespace LoraServe.Adapters.Tests.LinearAlgebra;

public sealed class HouseholderProductTests
{
    private const int Length = 7;
    private const int Count = 4;

    [Fact]
    public void Combined_WithDirections_IsTheProductOfReflections()
    {
        FloatMatrix columns = Random(1, Length, Count);
        double[,] expected = Identity();
        foreach (double[] u in Enumerable.Range(0, Count).Select(k => Unit(columns, k)))
        {
            double[,] before = expected;
            expected = Matrix((i, j) => before[i, j] - (2 * Enumerable.Range(0, Length).Sum(k => before[i, k] * u[k]) * u[j]));
        }

        AssertSame(expected, new HouseholderProduct(columns, orthogonalises: false));
    }

    [Fact]
    public void Combined_Orthogonalised_ReflectsTheWholeSpanOfTheColumns()
    {
        FloatMatrix columns = Random(2, Length, Count);
        var product = new HouseholderProduct(columns, orthogonalises: true);

        for (int k = 0; k < Count; k++)
        {
            for (int i = 0; i < Length; i++)
            {
                double reflected = columns.Row(i)[k];
                for (int j = 0; j < Count; j++)
                {
                    reflected -= product.Combined.Row(j)[i] * Enumerable.Range(0, Length).Sum(n => (double)product.Directions.Row(j)[n] * columns.Row(n)[k]);
                }

                Assert.Equal(-columns.Row(i)[k], reflected, 1e-5);
            }
        }
    }

    [Fact]
    public void Combined_PairOfEqualVectors_CancelsOut()
    {
        FloatMatrix column = Random(3, Length, 1);

        var product = new HouseholderProduct(new FloatMatrix(Length, 2, [.. column.Values.SelectMany(value => new[] { value, value })]), orthogonalises: false);

        AssertSame(Identity(), product);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Back_AnyDirection_GivesTheSlope(bool orthogonalises)
    {
        (FloatMatrix columns, FloatMatrix direction) = (Random(4, Length, Count), Random(5, Length, Count));
        (FloatMatrix byDirections, FloatMatrix byCombined) = (Random(6, Count, Length), Random(7, Count, Length));
        double Value(float step)
        {
            var moved = new HouseholderProduct(new FloatMatrix(Length, Count, [.. columns.Values.Zip(direction.Values, (value, change) => value + (step * change))]), orthogonalises);
            return Dot(moved.Directions, byDirections) + Dot(moved.Combined, byCombined);
        }

        const float Step = 1e-3f;
        double measured = (Value(Step) - Value(-Step)) / (2 * Step);
        FloatMatrix gradient = new HouseholderProduct(columns, orthogonalises).Back(
            new FloatMatrix(Count, Length, [.. byDirections.Values]), new FloatMatrix(Count, Length, [.. byCombined.Values]));

        Assert.Equal(measured, Dot(gradient, direction), 2e-2 * Math.Max(1, Math.Abs(measured)));
    }

    private static void AssertSame(double[,] expected, HouseholderProduct product)
    {
        for (int i = 0; i < Length; i++)
        {
            for (int j = 0; j < Length; j++)
            {
                double sum = Enumerable.Range(0, product.Directions.Rows).Sum(k => (double)product.Combined.Row(k)[i] * product.Directions.Row(k)[j]);
                Assert.Equal(expected[i, j], (i == j ? 1 : 0) - sum, 1e-5);
            }
        }
    }

    private static double[] Unit(FloatMatrix columns, int k)
    {
        double[] column = [.. Enumerable.Range(0, Length).Select(i => (double)columns.Row(i)[k])];
        double norm = Math.Sqrt(column.Sum(value => value * value));
        return Array.ConvertAll(column, value => value / norm);
    }

    private static double[,] Identity() => Matrix((i, j) => i == j ? 1 : 0);

    private static double[,] Matrix(Func<int, int, double> element)
    {
        double[,] matrix = new double[Length, Length];
        for (int i = 0; i < Length * Length; i++)
        {
            matrix[i / Length, i % Length] = element(i / Length, i % Length);
        }

        return matrix;
    }

    private static double Dot(FloatMatrix a, FloatMatrix b) => a.Values.Zip(b.Values, (x, y) => (double)x * y).Sum();

    private static FloatMatrix Random(int seed, int rows, int columns)
    {
        var random = new Random(seed);
        return new FloatMatrix(rows, columns, [.. Enumerable.Range(0, rows * columns).Select(_ => random.NextSingle() - 0.5f)]);
    }
}
