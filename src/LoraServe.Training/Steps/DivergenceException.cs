namespace LoraServe.Training.Steps;

/// <summary>A run whose loss or gradient is no longer a number.</summary>
public sealed class DivergenceException : Exception
{
    internal DivergenceException(int step, double loss, double gradientNorm, double rate)
        : base(FormattableString.Invariant(
            $"At step {step} the loss is {loss} and the gradient's norm {gradientNorm}; expected finite numbers. Lower the learning rate ({rate:g3} here), warm up longer, or clip the gradient."))
    {
    }
}
