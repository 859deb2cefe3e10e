namespace LoraServe.Compute.Tests.Kernels;

/// <summary>Compares a kernel's gradient with central differences of a float64 definition.</summary>
internal static class FiniteDifferences
{
    private const double Step = 1e-5;
    private const int Directions = 5;
    private const int Coordinates = 40;

    /// <summary>In random directions and at single coordinates.</summary>
    public static void Check(Func<double[], double> loss, IEnumerable<float> point, IEnumerable<float> gradient, string what)
    {
        double[] at = [.. point.Select(value => (double)value)];
        double[] expected = [.. gradient.Select(value => (double)value)];
        Assert.Equal(at.Length, expected.Length);
        var random = new Random(at.Length);
        double norm = Math.Sqrt(expected.Sum(value => value * value));
        double largest = expected.Max(Math.Abs);
        for (int i = 0; i < Directions; i++)
        {
            double[] direction = [.. at.Select(_ => random.NextDouble() - 0.5)];
            double length = Math.Sqrt(direction.Sum(value => value * value));
            direction = [.. direction.Select(value => value / length)];
            double along = expected.Zip(direction, (g, d) => g * d).Sum();
            Compare(Slope(loss, at, direction), along, 2e-5 * norm, $"{what}, a direction");
        }

        for (int i = 0; i < Math.Min(Coordinates, at.Length); i++)
        {
            int coordinate = at.Length <= Coordinates ? i : random.Next(at.Length);
            double[] direction = new double[at.Length];
            direction[coordinate] = 1;
            Compare(Slope(loss, at, direction), expected[coordinate], 2e-5 * largest, $"{what}, element {coordinate}");
        }
    }

    private static double Slope(Func<double[], double> loss, double[] at, double[] direction) =>
        (loss([.. at.Zip(direction, (x, d) => x + (Step * d))]) - loss([.. at.Zip(direction, (x, d) => x - (Step * d))])) / (2 * Step);

    private static void Compare(double slope, double gradient, double tolerance, string what) =>
        Assert.True(Math.Abs(slope - gradient) <= tolerance + 1e-9, $"{what}: the gradient says {gradient}, the function {slope}");
}
