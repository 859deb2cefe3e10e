namespace LoraServe.Training.Losses;

/// <summary>σ(x) = 1/(1 + e⁻ˣ) and its logarithm, without overflow.</summary>
internal static class LogSigmoid
{
    public static double Of(double x) => Math.Min(x, 0) - Math.Log(1 + Math.Exp(-Math.Abs(x)));

    public static double Sigmoid(double x) => x >= 0 ? 1 / (1 + Math.Exp(-x)) : Math.Exp(x) / (1 + Math.Exp(x));
}
