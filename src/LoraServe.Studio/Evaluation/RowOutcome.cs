namespace LoraServe.Studio.Evaluation;

/// <summary>What one row came to.</summary>
/// <param name="Answer">What was generated, without white space around it; null where nothing was to be.</param>
/// <param name="IsMatch">Whether that is exactly what was expected.</param>
/// <param name="LogProbability">Of all scored tokens together.</param>
/// <param name="LabelledTokens">How many were scored.</param>
/// <param name="IsCut">Whether something was cut off.</param>
/// <param name="GeneratedTokens">How many were generated.</param>
/// <param name="ComputedTokens">How many went through the model, prompts included and cached ones not.</param>
public sealed record RowOutcome(string? Answer, bool IsMatch, double LogProbability, int LabelledTokens, bool IsCut, int GeneratedTokens, int ComputedTokens);
