using LoraServe.Training.Reports;

namespace LoraServe.Jobs.Records;

/// <summary>What happened to a job: one of the two is set.</summary>
/// <param name="Job">The job, whose status changed; also the first and the last of what is told.</param>
/// <param name="Progress">The step that it took.</param>
public sealed record JobEvent(Job? Job, TrainingProgress? Progress);
