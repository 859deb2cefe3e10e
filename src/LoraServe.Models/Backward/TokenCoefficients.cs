namespace LoraServe.Models.Backward;

/// <summary>Writes the derivative of a loss by each labelled token's −log p.</summary>
/// <param name="share">The share with its losses.</param>
/// <param name="coefficients">One for each labelled token.</param>
public delegate void TokenCoefficients(BatchShare share, Span<float> coefficients);
