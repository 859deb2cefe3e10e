using LoraServe.Jobs.Records;

namespace LoraServe.Jobs.Files;

/// <summary>What <c>job.json</c> says.</summary>
/// <param name="Job">The job.</param>
/// <param name="IsAdmin">Whether an administrator started it.</param>
/// <param name="Attempts">As in <see cref="JobState"/>.</param>
/// <param name="CheckpointedStep">As in <see cref="JobState"/>.</param>
/// <param name="IsCancelRequested">As in <see cref="JobState"/>.</param>
/// <param name="Result">Where what it made lies, relative to the job's folder.</param>
internal sealed record JobFile(Job? Job, bool IsAdmin, int Attempts, int CheckpointedStep, bool IsCancelRequested, string? Result);
