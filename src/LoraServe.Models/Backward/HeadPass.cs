namespace LoraServe.Models.Backward;

/// <summary>The head and the cross entropy of a share's labelled rows, forth and, where there are coefficients, back; <see cref="BatchShare.Losses"/> are filled.</summary>
/// <param name="share">The share.</param>
/// <param name="first">Its first labelled row among those of the batch.</param>
/// <param name="targets">The tokens that its rows are to predict.</param>
/// <param name="coefficients">The rows' factors in the loss; null where only losses are wanted.</param>
/// <param name="hits">Whether each row's target is the likeliest token; empty where that is not wanted.</param>
public delegate void HeadPass(BatchShare share, int first, int[] targets, float[]? coefficients, bool[] hits);
