namespace LoraServe.Serving.Requests;

/// <summary>The log-probabilities of a text's tokens.</summary>
/// <param name="TokenIds">The tokens scored.</param>
/// <param name="LogProbabilities">For each, the natural logarithm of its probability after all tokens before it.</param>
public sealed record ScoredText(IReadOnlyList<int> TokenIds, IReadOnlyList<float> LogProbabilities)
{
    /// <summary>Log-probability of the whole text.</summary>
    public double Sum => LogProbabilities.Sum(static value => (double)value);

    /// <summary>exp(−mean log-probability).</summary>
    public double Perplexity => Math.Exp(-Sum / LogProbabilities.Count);
}
