using LoraServe.Models.Config;

namespace LoraServe.Models;

/// <summary>A kind of machine that models run on. Serving and training know devices by this interface alone.</summary>
public interface IDevice
{
    /// <summary>Its name, such as <c>cpu</c>.</summary>
    string Name { get; }

    /// <summary>Brings a model's weights into the device's memory.</summary>
    /// <param name="weights">The weights in their files, which the model owns once it is loaded.</param>
    /// <param name="options">How to load it.</param>
    /// <exception cref="ModelFormatException">The weights hold values that cannot be computed with.</exception>
    Transformer Load(ModelWeights weights, ModelLoadOptions options);
}
