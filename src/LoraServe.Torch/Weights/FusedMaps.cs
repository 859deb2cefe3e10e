using LoraServe.Adapters.Edits;

namespace LoraServe.Torch.Weights;

/// <summary>Linear maps of the same input: one after another in one matrix, so that one product gives all of them, or each as the file stores it.</summary>
/// <param name="Parts">The maps.</param>
/// <param name="Weight">[outputs of all, inputs]; null where each part has its own.</param>
/// <param name="Bias">[outputs of all], zeros for a map without one; null where none has.</param>
internal sealed record FusedMaps(IReadOnlyList<FusedMaps.Part> Parts, Tensor? Weight, Tensor? Bias) : IDisposable
{
    /// <summary>Size in memory.</summary>
    public long ByteLength =>
        Parts.Sum(part => part.Matrix.ByteLength) + new[] { Weight, Bias }.Sum(tensor => tensor is null ? 0 : tensor.NumberOfElements * tensor.ElementSize);

    /// <summary>The maps' products with x, with their biases: [T, outputs] each.</summary>
    public Tensor[] Multiply(Tensor x)
    {
        if (Weight is null)
        {
            return [.. Parts.Select(part =>
            {
                using Tensor weight = part.Matrix.Values();
                return torch.nn.functional.linear(x, weight, part.Bias);
            })];
        }

        Tensor all = torch.nn.functional.linear(x, Weight, Bias);
        return Parts.Count == 1 ? [all] : [.. Parts.Select(part => all.narrow(1, part.First, part.Count))];
    }

    /// <inheritdoc />
    public void Dispose()
    {
        foreach (Part part in Parts)
        {
            part.Matrix.Dispose();
            part.Bias?.Dispose();
        }

        Weight?.Dispose();
        Bias?.Dispose();
    }

    /// <summary>A map.</summary>
    /// <param name="Site">Which.</param>
    /// <param name="First">Its first output among all.</param>
    /// <param name="Count">Its outputs.</param>
    /// <param name="Matrix">[outputs, inputs].</param>
    /// <param name="Bias">[outputs]; null where no map has one.</param>
    internal sealed record Part(Site Site, long First, long Count, WeightMatrix Matrix, Tensor? Bias);
}
