namespace LoraServe.Models.Forward;

/// <summary>What a device says of a row of logits beside its greatest.</summary>
/// <param name="LogSum">Log of the sum of the exponentials of all.</param>
/// <param name="Mass">Sum of exp((logit − greatest) / temperature) over all; meaningless where no temperature was given.</param>
/// <param name="DrawnToken">The token that was drawn; meaningless where no temperature was given.</param>
/// <param name="DrawnLogit">Its logit.</param>
public readonly record struct RowSummary(double LogSum, double Mass, int DrawnToken, float DrawnLogit);
