using LoraServe.Models.Backward;
using LoraServe.Training.Data;

namespace LoraServe.Training.Losses;

/// <summary>
/// KTO (arXiv 2402.01306): the mean over all sequences of 1 − σ(β·(ratio − k)) where they are chosen and 1 − σ(β·(k − ratio)) where rejected;
/// ratio is log p of the completion less the reference's, and k its mean over prompts with other rows' completions, at least 0 and held constant.
/// </summary>
internal static class KahnemanTverskyLoss
{
    /// <summary>The sequences whose ratio gives k: of all chosen rows, then all rejected, the prompt of each with the completion of the next.</summary>
    public static TrainingExample[] Mismatched(IReadOnlyList<PreferenceExample> pairs)
    {
        TrainingExample[] rows = [.. pairs.Select(pair => pair.Chosen), .. pairs.Select(pair => pair.Rejected)];
        return [.. rows.Select((row, index) => Join(row, rows[(index + 1) % rows.Length]))];

        static TrainingExample Join(TrainingExample prompt, TrainingExample completion)
        {
            (int length, int start) = (CompletionStart(prompt), CompletionStart(completion));
            return new TrainingExample(
                [.. prompt.Tokens[..length], .. completion.Tokens[start..]],
                [.. prompt.Labels[..length], .. completion.Labels[start..]]);
        }
    }

    /// <summary>k.</summary>
    /// <param name="sums">Σ log p of the mismatched completions.</param>
    /// <param name="reference">The same by the reference.</param>
    public static double Divergence(ReadOnlySpan<double> sums, ReadOnlySpan<double> reference)
    {
        double difference = 0;
        for (int i = 0; i < sums.Length; i++)
        {
            difference += sums[i] - reference[i];
        }

        return Math.Max(0, difference / sums.Length);
    }

    /// <summary>Computes pairs' part of a step's loss, and its derivatives.</summary>
    /// <param name="losses">Of the completions' tokens.</param>
    /// <param name="reference">Σ log p of each sequence by the reference.</param>
    /// <param name="divergence">k.</param>
    /// <param name="beta">How strongly the reference holds.</param>
    /// <param name="stepPairs">Pairs of the whole step.</param>
    /// <param name="coefficients">Receives the loss's derivative by each token's −log p.</param>
    /// <returns>The pairs' part of the mean.</returns>
    public static double Run(TokenLosses losses, ReadOnlySpan<double> reference, double divergence, double beta, int stepPairs, Span<float> coefficients)
    {
        double loss = 0;
        double[] sums = losses.LogProbabilities();
        for (int i = 0; i < sums.Length; i++)
        {
            double sign = i % 2 == 0 ? 1 : -1;
            double value = LogSigmoid.Sigmoid(sign * beta * (sums[i] - reference[i] - divergence));
            loss += (1 - value) / (2 * stepPairs);
            coefficients[losses.PlaceOf(i)].Fill((float)(sign * beta * value * (1 - value) / (2 * stepPairs)));
        }

        return loss;
    }

    private static int CompletionStart(TrainingExample example) => Array.FindIndex(example.Labels, label => label != TrainingExample.NoLabel);
}
