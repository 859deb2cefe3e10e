using LoraServe.Models.Backward;

namespace LoraServe.Training.Data;

/// <summary>Two answers to one prompt, of which one is preferred; both sequences hold the prompt, without labels.</summary>
/// <param name="Chosen">The better one.</param>
/// <param name="Rejected">The worse one.</param>
public sealed record PreferenceExample(TrainingExample Chosen, TrainingExample Rejected);
