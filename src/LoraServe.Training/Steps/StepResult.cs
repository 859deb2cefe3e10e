namespace LoraServe.Training.Steps;

/// <summary>What a step of training was like.</summary>
/// <param name="Loss">Before the update: the mean over labelled tokens, with the method's own term.</param>
/// <param name="GradientNorm">Of all parameters together, before clipping.</param>
/// <param name="LearningRate">Of parameters whose factor is 1.</param>
/// <param name="LabelledTokens">Tokens that carried loss.</param>
public sealed record StepResult(double Loss, double GradientNorm, double LearningRate, int LabelledTokens);
