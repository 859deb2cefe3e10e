namespace LoraServe.Training.Losses;

/// <summary>DPO (arXiv 2305.18290): −log σ(β·((c − c₀) − (r − r₀))) of log p of the chosen and rejected completions, with the reference's at 0; mean over pairs.</summary>
internal static class DirectPreferenceLoss
{
    /// <summary>Computes pairs' part of a step's loss, and its derivatives.</summary>
    /// <param name="losses">Of the completions' tokens.</param>
    /// <param name="reference">Σ log p of each sequence by the reference.</param>
    /// <param name="beta">How strongly the reference holds.</param>
    /// <param name="stepPairs">Pairs of the whole step.</param>
    /// <param name="coefficients">Receives the loss's derivative by each token's −log p.</param>
    /// <returns>The pairs' part of the mean.</returns>
    public static double Run(TokenLosses losses, ReadOnlySpan<double> reference, double beta, int stepPairs, Span<float> coefficients)
    {
        double loss = 0;
        double[] sums = losses.LogProbabilities();
        for (int chosen = 0; chosen < losses.Count; chosen += 2)
        {
            int rejected = chosen + 1;
            double margin = beta * (sums[chosen] - reference[chosen] - (sums[rejected] - reference[rejected]));
            double slope = beta * LogSigmoid.Sigmoid(-margin) / stepPairs;
            loss -= LogSigmoid.Of(margin) / stepPairs;
            coefficients[losses.PlaceOf(chosen)].Fill((float)slope);
            coefficients[losses.PlaceOf(rejected)].Fill((float)-slope);
        }

        return loss;
    }
}
