namespace LoraServe.Adapters.Edits;

/// <summary>A linear map of a <see cref="ScalingClassifier"/>: y = Weight·x + Bias.</summary>
/// <param name="Weight">[outputs, inputs].</param>
/// <param name="Bias">[outputs].</param>
public sealed record ClassifierLayer(FloatMatrix Weight, float[] Bias);
