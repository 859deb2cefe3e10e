namespace LoraServe.Training.Data;

/// <summary>How much of a run's rows was looked at and found right.</summary>
/// <param name="Checked">Rows that were.</param>
/// <param name="Total">Rows there are, to train and to evaluate on.</param>
public sealed record RowCheck(long Checked, long Total);
