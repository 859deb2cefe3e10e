namespace LoraServe.Studio.Evaluation;

/// <summary>How a data set is evaluated.</summary>
/// <param name="MaxTokens">Most tokens that an answer is generated with.</param>
/// <param name="MaxLength">Prompt and answer are cut on the right to this many tokens before they are scored.</param>
public sealed record EvaluationOptions(int MaxTokens, int MaxLength);
