namespace LoraServe.Adapters.Edits;

/// <summary>The non-linearities of one number.</summary>
public static class ActivationFunction
{
    private const float LeakySlope = 0.01f;
    private const float GeluFactor = 0.7978845608f; // √(2/π)
    private const float GeluCubic = 0.044715f;

    /// <summary>act(x).</summary>
    /// <param name="activation">The non-linearity.</param>
    /// <param name="x">What goes in.</param>
    public static float Value(Activation activation, float x) => activation switch
    {
        Activation.Relu => x > 0 ? x : 0,
        Activation.LeakyRelu => x > 0 ? x : LeakySlope * x,
        Activation.Silu => x * Sigmoid(x),
        Activation.Gelu => x * Normal(x),
        Activation.TanhGelu => 0.5f * x * (1 + MathF.Tanh(GeluFactor * (x + (GeluCubic * x * x * x)))),
        Activation.Tanh => MathF.Tanh(x),
        Activation.Sigmoid => Sigmoid(x),
        _ => throw new ArgumentOutOfRangeException(nameof(activation), activation, "Not an activation."),
    };

    /// <summary>act′(x).</summary>
    /// <inheritdoc cref="Value"/>
    public static float Slope(Activation activation, float x)
    {
        switch (activation)
        {
            case Activation.Relu:
                return x > 0 ? 1 : 0;
            case Activation.LeakyRelu:
                return x > 0 ? 1 : LeakySlope;
            case Activation.Silu:
                float gate = Sigmoid(x);
                return gate * (1 + (x * (1 - gate)));
            case Activation.Gelu:
                return Normal(x) + (x * MathF.Exp(-0.5f * x * x) * 0.3989422804f);
            case Activation.TanhGelu:
                float t = MathF.Tanh(GeluFactor * (x + (GeluCubic * x * x * x)));
                return (0.5f * (1 + t)) + (0.5f * x * (1 - (t * t)) * GeluFactor * (1 + (3 * GeluCubic * x * x)));
            case Activation.Tanh:
                float tanh = MathF.Tanh(x);
                return 1 - (tanh * tanh);
            case Activation.Sigmoid:
                float sigmoid = Sigmoid(x);
                return sigmoid * (1 - sigmoid);
            default:
                throw new ArgumentOutOfRangeException(nameof(activation), activation, "Not an activation.");
        }
    }

    private static float Sigmoid(float x) => 1 / (1 + MathF.Exp(-x));

    /// <summary>Φ(x), the normal distribution, to 10⁻⁷ (Abramowitz and Stegun, 7.1.26).</summary>
    private static float Normal(float x)
    {
        double z = Math.Abs(x) * 0.70710678118654752;
        double t = 1 / (1 + (0.3275911 * z));
        double polynomial = t * (0.254829592 + (t * (-0.284496736 + (t * (1.421413741 + (t * (-1.453152027 + (t * 1.061405429))))))));
        double tail = 0.5 * polynomial * Math.Exp(-z * z);
        return (float)(x >= 0 ? 1 - tail : tail);
    }
}
