using System.Collections.Immutable;
using LoraServe.Adapters.Edits;
using LoraServe.Compute;
using LoraServe.Compute.Memory;
using LoraServe.Compute.Tensors;
using LoraServe.Models.Spec;

namespace LoraServe.Cpu.Weights;

/// <summary>A model's weights as the operations read them: packed matrices, and the token table where it lies in the file.</summary>
/// <param name="Spec">The shape.</param>
/// <param name="TokenTable">The token table [tokens, width]; rows are dequantised when looked up.</param>
/// <param name="Positions">The table of learned positions [positions, width]; null where there is none.</param>
/// <param name="Linears">The linear maps, numbered as in <see cref="SiteTable"/>; the head's is a packed copy of the table where it is tied.</param>
/// <param name="Norms">The norms' gains, numbered likewise.</param>
internal sealed record PackedWeights(TransformerSpec Spec, Tensor TokenTable, Tensor? Positions, ImmutableArray<LinearWeights> Linears, ImmutableArray<NativeBuffer> Norms) : IDisposable
{
    /// <summary>Numbers linear maps and norms.</summary>
    public SiteTable Sites { get; } = Spec.Sites;

    /// <summary>Bytes of matrices, biases and norms.</summary>
    public long ByteLength => Norms.Sum(norm => norm.ByteLength) + Linears.Sum(linear => linear.Matrix.ByteLength + (linear.Bias?.ByteLength ?? 0));

    /// <summary>The weights at a site that is not the table.</summary>
    public LinearWeights Linear(Site site) => Linears[Sites.Index(site)];

    /// <summary>A norm's gains, then its biases where the model has them.</summary>
    public NativeBuffer Norm(NormSite site) => Norms[Sites.Index(site)];

    /// <summary>The same memory, computing in another arithmetic.</summary>
    public PackedWeights In(Arithmetic arithmetic) => this with { Linears = [.. Linears.Select(linear => linear with { Matrix = linear.Matrix.In(arithmetic) })] };

    /// <inheritdoc />
    public void Dispose()
    {
        foreach (LinearWeights linear in Linears)
        {
            linear.Dispose();
        }

        foreach (NativeBuffer norm in Norms)
        {
            norm.Dispose();
        }
    }
}
