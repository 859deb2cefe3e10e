using LoraServe.Adapters.Edits;
using LoraServe.Compute.Matrices;
using LoraServe.Compute.Memory;

namespace LoraServe.Cpu.Weights;

/// <summary>One linear map: y = W·x, plus a bias where the model has one.</summary>
/// <param name="Site">Where in the model it is.</param>
/// <param name="Matrix">W, [outputs, inputs]; rows in Hugging Face's order.</param>
/// <param name="Bias">As many floats as outputs, or null.</param>
internal sealed record LinearWeights(Site Site, PackedMatrix Matrix, NativeBuffer? Bias) : IDisposable
{
    /// <inheritdoc />
    public void Dispose()
    {
        Matrix.Dispose();
        Bias?.Dispose();
    }
}
