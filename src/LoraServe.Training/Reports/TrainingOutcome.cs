namespace LoraServe.Training.Reports;

/// <summary>What came of a run.</summary>
/// <param name="Directory">The adapter, or after full fine-tuning the model, as files that PEFT reads too.</param>
/// <param name="Summary">What the run cost and brought.</param>
public sealed record TrainingOutcome(string Directory, RunSummary Summary)
{
    /// <summary>Whether the run had been done before, and nothing was trained now.</summary>
    public bool WasDone { get; init; }
}
