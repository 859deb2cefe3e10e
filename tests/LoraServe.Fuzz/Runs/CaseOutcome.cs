namespace LoraServe.Fuzz.Runs;

/// <summary>What came of a case.</summary>
/// <param name="Complaint">What is wrong; null where the files were loaded or refused as they should be.</param>
/// <param name="Thrown">What was thrown.</param>
/// <param name="AllocatedBytes">What was allocated on the way, whether or not it was kept.</param>
/// <param name="Elapsed">How long it took.</param>
internal sealed record CaseOutcome(string? Complaint, Exception? Thrown, long AllocatedBytes, TimeSpan Elapsed);
