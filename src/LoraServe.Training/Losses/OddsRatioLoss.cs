using LoraServe.Models.Backward;

namespace LoraServe.Training.Losses;

/// <summary>
/// ORPO (arXiv 2403.07691): the mean of −log p over all tokens of the chosen sequences, prompts included, minus the mean over pairs of
/// β·log σ(log odds), where log odds = (c − r) − (log(1 − eᶜ) − log(1 − eʳ)) and c, r are the completions' mean log p.
/// </summary>
internal static class OddsRatioLoss
{
    /// <summary>Nearest to log p = 0 that odds are taken of: there they are infinite.</summary>
    private const double SurestMean = -1e-7;

    /// <summary>A chosen sequence as it must be scored: with labels on all tokens.</summary>
    public static TrainingExample Whole(TrainingExample chosen) => chosen with { Labels = chosen.Tokens };

    /// <summary>Computes pairs' part of a step's loss, and its derivatives.</summary>
    /// <param name="losses">Of all tokens of the chosen sequences and of the rejected completions' tokens.</param>
    /// <param name="completions">Tokens of each sequence's completion, which are its last.</param>
    /// <param name="beta">Weight of the odds ratio.</param>
    /// <param name="stepPairs">Pairs of the whole step.</param>
    /// <param name="stepTokens">Labelled tokens of the whole step's chosen sequences.</param>
    /// <param name="coefficients">Receives the loss's derivative by each token's −log p.</param>
    /// <returns>The pairs' part of both means.</returns>
    public static double Run(TokenLosses losses, ReadOnlySpan<int> completions, double beta, int stepPairs, int stepTokens, Span<float> coefficients)
    {
        double loss = 0;
        for (int chosen = 0; chosen < losses.Count; chosen += 2)
        {
            int rejected = chosen + 1;
            double c = Math.Min(losses.LogProbability(chosen, completions[chosen]) / completions[chosen], SurestMean);
            double r = Math.Min(losses.LogProbability(rejected, completions[rejected]) / completions[rejected], SurestMean);
            double odds = c - r - (Math.Log(1 - Math.Exp(c)) - Math.Log(1 - Math.Exp(r)));
            loss -= losses.LogProbability(chosen, losses.TokensOf(chosen)) / stepTokens;
            loss -= beta * LogSigmoid.Of(odds) / stepPairs;

            double slope = beta * LogSigmoid.Sigmoid(-odds) / stepPairs;
            Span<float> ofChosen = coefficients[losses.PlaceOf(chosen)];
            ofChosen.Fill(1f / stepTokens);
            ofChosen[^completions[chosen]..].Fill((float)((1.0 / stepTokens) + (slope / (1 - Math.Exp(c)) / completions[chosen])));
            coefficients[losses.PlaceOf(rejected)].Fill((float)(-slope / (1 - Math.Exp(r)) / completions[rejected]));
        }

        return loss;
    }
}
