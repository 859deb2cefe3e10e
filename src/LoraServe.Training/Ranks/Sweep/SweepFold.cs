using System.Collections.Immutable;

namespace LoraServe.Training.Ranks.Sweep;

/// <summary>One split of a data set: every row is in exactly one of the two parts.</summary>
/// <param name="Number">From 0.</param>
/// <param name="Training">Rows to train on, ascending.</param>
/// <param name="Validation">Rows to measure on, ascending.</param>
public sealed record SweepFold(int Number, ImmutableArray<int> Training, ImmutableArray<int> Validation);
