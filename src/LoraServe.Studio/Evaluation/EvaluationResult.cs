namespace LoraServe.Studio.Evaluation;

/// <summary>What evaluating a data set found.</summary>
/// <param name="ExactMatch">Share of rows answered exactly; null where no row has such an answer.</param>
/// <param name="Loss">Mean negative log-probability of the answers' tokens, in nats; null where none was scored.</param>
/// <param name="Perplexity">exp(loss).</param>
/// <param name="Rows">Rows read.</param>
/// <param name="MatchedRows">Rows answered exactly.</param>
/// <param name="LabelledTokens">Tokens of answers, end tokens included.</param>
/// <param name="CutRows">Rows of which something was cut off before scoring.</param>
/// <param name="GeneratedTokens">Tokens generated.</param>
/// <param name="Seconds">Time for all rows, without loading the model.</param>
/// <param name="TokensPerS">All tokens computed, prompts included, in a second.</param>
public sealed record EvaluationResult(
    double? ExactMatch,
    double? Loss,
    double? Perplexity,
    int Rows,
    int MatchedRows,
    int LabelledTokens,
    int CutRows,
    int GeneratedTokens,
    double Seconds,
    double TokensPerS);
