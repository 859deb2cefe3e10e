namespace LoraServe.Adapters.Edits;

/// <summary>A layer norm over what a bottleneck adds: (v − mean)/√(variance + 10⁻⁵)·gain + bias over the model's width.</summary>
/// <param name="Gain">[width].</param>
/// <param name="Bias">[width].</param>
/// <param name="CoversSublayer">False: f becomes norm(f). True: f becomes norm(f + sub) − sub, with the sublayer's result sub.</param>
public sealed record BottleneckNorm(float[] Gain, float[] Bias, bool CoversSublayer);
