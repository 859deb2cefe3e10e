namespace LoraServe.Cli.Evaluation;

/// <summary>What an evaluation found.</summary>
/// <param name="Rows">Rows evaluated.</param>
/// <param name="ExactMatch">Share of the rows that have an expected answer whose answer was that, 0 to 1; null where there are no such rows.</param>
/// <param name="Loss">Mean negative log-likelihood of the labelled tokens, in nats.</param>
/// <param name="LabelledTokens">Tokens that the loss is the mean of.</param>
/// <param name="CutRows">Rows that were longer than allowed and were cut on the right.</param>
/// <param name="TokensPerSecond">Tokens computed and generated in a second.</param>
/// <param name="Answers">The text generated for each row that has an expected answer, in order.</param>
internal sealed record Evaluation(int Rows, double? ExactMatch, double Loss, int LabelledTokens, int CutRows, double TokensPerSecond, IReadOnlyList<string> Answers)
{
    /// <summary>exp of the loss.</summary>
    public double Perplexity => Math.Exp(Loss);
}
