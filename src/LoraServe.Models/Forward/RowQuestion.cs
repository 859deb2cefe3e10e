namespace LoraServe.Models.Forward;

/// <summary>What is asked of a row of logits.</summary>
/// <param name="Row">Which row of the step's logits.</param>
/// <param name="Greatest">How many of the greatest logits are wanted, 1 to V.</param>
/// <param name="Temperature">What logits are divided by before they become probabilities, above 0; 0: neither mass nor a drawn token is wanted.</param>
/// <param name="Random">Which token to draw, from 0 up to, not including, 1: the first, by ascending token, at which the sum of probabilities is above it.</param>
public readonly record struct RowQuestion(int Row, int Greatest, float Temperature = 0, double Random = 0);
