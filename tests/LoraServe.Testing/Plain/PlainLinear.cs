namespace LoraServe.Testing.Plain;

/// <summary>A linear map, or the token table, in float64.</summary>
/// <param name="Rows">[outputs][inputs].</param>
/// <param name="Bias">[outputs].</param>
internal sealed record PlainLinear(double[][] Rows, double[] Bias)
{
    /// <summary>The map's product, without the bias.</summary>
    public double[] Times(double[] x) => Array.ConvertAll(Rows, row => PlainMath.Dot(row, x));
}
