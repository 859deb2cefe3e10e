using LoraServe.Adapters.Edits;
using LoraServe.Adapters.LinearAlgebra;

namespace LoraServe.Adapters.Tests.LinearAlgebra;

public sealed class FourierBasisTests
{
    private static readonly (int Row, int Column)[] s_frequencies = [(0, 0), (3, 1), (1, 4), (3, 2), (2, 0), (0, 3)];
    private static readonly float[] s_coefficients = [0.4f, -1, 0.7f, 0.2f, 1.5f, -0.3f];

    [Theory]
    [InlineData(6, 5)]
    [InlineData(5, 6)]
    [InlineData(4, 5)]
    public void Synthesize_FewCoefficients_IsTheSumOfTheirWaves(int rows, int columns)
    {
        FloatMatrix made = new FourierBasis(rows, columns, s_frequencies).Synthesize(s_coefficients, 3);

        for (int p = 0; p < rows; p++)
        {
            for (int q = 0; q < columns; q++)
            {
                double expected = s_frequencies.Zip(s_coefficients, (frequency, c) => 3.0 * c * Wave(frequency, p, q, rows, columns)).Sum();
                Assert.Equal(expected, made.Row(p)[q], 1e-6);
            }
        }
    }

    [Theory]
    [InlineData(6, 5)]
    [InlineData(5, 6)]
    [InlineData(4, 5)]
    public void Back_OfAMatrix_IsItsProductWithEachWave(int rows, int columns)
    {
        var random = new Random(1);
        var gradient = new FloatMatrix(rows, columns, [.. Enumerable.Range(0, rows * columns).Select(_ => random.NextSingle() - 0.5f)]);
        float[] sums = new float[s_frequencies.Length];
        Array.Fill(sums, 1);

        new FourierBasis(rows, columns, s_frequencies).Back(gradient, 3, sums);

        foreach (((int, int) frequency, float sum) in s_frequencies.Zip(sums))
        {
            double expected = 1 + Enumerable.Range(0, rows * columns).Sum(i => 3.0 * gradient.Values[i] * Wave(frequency, i / columns, i % columns, rows, columns));
            Assert.Equal(expected, sum, 1e-6);
        }
    }

    private static double Wave((int Row, int Column) frequency, int p, int q, int rows, int columns) =>
        Math.Cos(2 * Math.PI * (((double)p * frequency.Row / rows) + ((double)q * frequency.Column / columns))) / (rows * columns);
}
