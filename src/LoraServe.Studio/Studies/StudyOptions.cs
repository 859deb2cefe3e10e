namespace LoraServe.Studio.Studies;

/// <summary>What all runs of a study have in common.</summary>
/// <param name="ModelPath">The base.</param>
/// <param name="ModelFingerprint">What tells the base from others.</param>
/// <param name="Threads">Threads that compute.</param>
/// <param name="Folder">Where runs and results go.</param>
/// <param name="Steps">Steps of each run; null for one pass over the rows.</param>
/// <param name="BatchRows">Rows of a step.</param>
/// <param name="Seed">What first values and the order of rows are drawn from.</param>
public sealed record StudyOptions(string ModelPath, string ModelFingerprint, int Threads, string Folder, int? Steps, int BatchRows, int Seed);
