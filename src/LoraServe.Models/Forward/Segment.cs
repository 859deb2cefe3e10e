namespace LoraServe.Models.Forward;

/// <summary>Adjacent rows of a batch that are adjacent tokens of one sequence.</summary>
/// <param name="FirstRow">The first row.</param>
/// <param name="RowCount">Number of rows.</param>
/// <param name="FirstPosition">Position of the first row's token in its sequence.</param>
/// <param name="FirstPage">Where the sequence's pages begin in <see cref="TokenBatch.Pages"/>.</param>
/// <param name="FirstOutput">Where the segment's rows begin among the logits, or among the hidden states for <see cref="SegmentOutput.AllHidden"/>.</param>
/// <param name="OutputCount">How many rows of these it has.</param>
public readonly record struct Segment(int FirstRow, int RowCount, int FirstPosition, int FirstPage, int FirstOutput, int OutputCount);
