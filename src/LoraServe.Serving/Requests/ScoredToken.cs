namespace LoraServe.Serving.Requests;

/// <summary>A given token and how likely the model found it at its place.</summary>
/// <param name="TokenId">The token.</param>
/// <param name="LogProbability">Natural logarithm of its probability; NaN for the first, which nothing comes before.</param>
/// <param name="Top">The most likely tokens at its place, best first; none for the first.</param>
public readonly record struct ScoredToken(int TokenId, float LogProbability, IReadOnlyList<TokenProbability> Top);
