using LoraServe.Adapters.Edits;

namespace LoraServe.Adapters;

/// <summary>A norm of a base model.</summary>
/// <param name="Path">Hugging Face's module path, such as <c>model.layers.0.input_layernorm</c>.</param>
/// <param name="Site">Where in the model that is.</param>
/// <param name="Width">Number of gains.</param>
/// <param name="HasBias">Whether it adds a bias to each element; its parameters are then its gains and, after them, its biases.</param>
public sealed record BaseNorm(string Path, NormSite Site, int Width, bool HasBias = false)
{
    /// <summary>Number of gains and biases.</summary>
    public int ParameterCount => HasBias ? 2 * Width : Width;
}
