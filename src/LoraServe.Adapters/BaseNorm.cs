using LoraServe.Adapters.Edits;

namespace LoraServe.Adapters;

/// <summary>A norm of a base model.</summary>
/// <param name="Path">Hugging Face's module path, such as <c>model.layers.0.input_layernorm</c>.</param>
/// <param name="Site">Where in the model that is.</param>
/// <param name="Width">Number of gains.</param>
public sealed record BaseNorm(string Path, NormSite Site, int Width);
