using LoraServe.Models.Backward;

namespace LoraServe.Training.Steps;

/// <summary>A part of a run's step that goes through the model at once.</summary>
/// <param name="Tokens">Its tokens.</param>
/// <param name="References">What has to go through the model first: a preference's sequences without the adapter. Mostly none.</param>
/// <param name="Share">Its share of a pass.</param>
internal sealed record StepPart(int Tokens, IReadOnlyList<BatchShare> References, Func<BatchShare> Share);
