namespace LoraServe.Serving.Requests;

/// <summary>A token and how likely the model finds it, before penalties, temperature and filters.</summary>
/// <param name="TokenId">The token.</param>
/// <param name="LogProbability">Natural logarithm of its probability.</param>
public readonly record struct TokenProbability(int TokenId, float LogProbability);
