using LoraServe.Models.Backward;
using LoraServe.Training.Data;
using LoraServe.Training.Losses;

namespace LoraServe.Training.Tests.Losses;

public sealed class PreferenceLossTests
{
    private const double Beta = 0.3;
    private const int StepPairs = 5;
    private const int StepTokens = 40;
    private static readonly int[] s_counts = [3, 5, 7, 2];
    private static readonly int[] s_completions = [2, 5, 4, 2];
    private static readonly double[] s_reference = [-4, -6, -10, -3];

    private delegate double Loss(TokenLosses losses, Span<float> coefficients);

    [Fact]
    public void DirectPreference_OfOnePair_IsTheFormula()
    {
        double loss = DirectPreferenceLoss.Run(new TokenLosses([1, 2, 4], [2, 1]), [-2, -5], 0.5, 1, new float[3]);

        Assert.Equal(Math.Log(1 + Math.Exp(-0.5 * ((-3 + 2) - (-4 + 5)))), loss, 1e-12);
    }

    [Fact]
    public void DirectPreference_Coefficients_AreItsDerivatives() => AssertDerivatives((losses, coefficients) => DirectPreferenceLoss.Run(losses, s_reference, Beta, StepPairs, coefficients));

    [Fact]
    public void OddsRatio_Coefficients_AreItsDerivatives() => AssertDerivatives((losses, coefficients) => OddsRatioLoss.Run(losses, s_completions, Beta, StepPairs, StepTokens, coefficients));

    [Fact]
    public void KahnemanTversky_Coefficients_AreItsDerivatives() => AssertDerivatives((losses, coefficients) => KahnemanTverskyLoss.Run(losses, s_reference, 0.7, Beta, StepPairs, coefficients));

    [Fact]
    public void Losses_OfExtremeProbabilities_StayFinite()
    {
        float[] values = [0, 0, 0, 1e4f, 1e4f, 1e4f];
        Loss[] all =
        [
            (losses, coefficients) => DirectPreferenceLoss.Run(losses, [-1e4, 1e4], 10, 1, coefficients),
            (losses, coefficients) => DirectPreferenceLoss.Run(losses, [1e5, -1e5], 10, 1, coefficients),
            (losses, coefficients) => OddsRatioLoss.Run(losses, [3, 3], 1, 1, 3, coefficients),
            (losses, coefficients) => KahnemanTverskyLoss.Run(losses, [1e5, -1e5], 0, 10, 1, coefficients),
        ];
        Assert.All(all, loss =>
        {
            float[] coefficients = new float[values.Length];
            Assert.True(double.IsFinite(loss(new TokenLosses(values, [3, 3]), coefficients)));
            Assert.All(coefficients, value => Assert.True(float.IsFinite(value)));
        });
    }

    [Fact]
    public void Mismatched_JoinsEachPromptWithTheNextCompletion()
    {
        const int No = TrainingExample.NoLabel;
        PreferenceExample[] pairs =
        [
            new(new([1, 2, 3], [No, No, 3]), new([1, 2, 4, 5], [No, No, 4, 5])),
            new(new([6, 7], [No, 7]), new([6, 8], [No, 8])),
        ];

        TrainingExample[] rows = KahnemanTverskyLoss.Mismatched(pairs);

        Assert.Equal<int[]>([[1, 2, 7], [6, 4, 5], [1, 2, 8], [6, 3]], rows.Select(row => row.Tokens));
        Assert.Equal<int[]>([[No, No, 7], [No, 4, 5], [No, No, 8], [No, 3]], rows.Select(row => row.Labels));
    }

    [Theory]
    [InlineData(new[] { -1.0, -2 }, new[] { -3.0, -3 }, 1.5)]
    [InlineData(new[] { -5.0, -2 }, new[] { -3.0, -3 }, 0)]
    public void Divergence_IsTheMeanDifferenceButNotNegative(double[] sums, double[] reference, double expected) =>
        Assert.Equal(expected, KahnemanTverskyLoss.Divergence(sums, reference));

    private static void AssertDerivatives(Loss loss)
    {
        // Steps that floats hold exactly, so that differences are exact but for the curve's third derivative.
        const float Difference = 1f / 64;
        var random = new Random(3);
        float[] values = [.. Enumerable.Range(0, s_counts.Sum()).Select(_ => random.Next(8, 320) / 64f)];
        float[] coefficients = new float[values.Length];
        loss(new TokenLosses(values, s_counts), coefficients);
        for (int i = 0; i < values.Length; i++)
        {
            double slope = (At(i, Difference) - At(i, -Difference)) / (2 * Difference);
            Assert.Equal(slope, coefficients[i], 1e-5);
        }

        double At(int index, float change)
        {
            float[] changed = [.. values];
            changed[index] += change;
            return loss(new TokenLosses(changed, s_counts), new float[values.Length]);
        }
    }
}
