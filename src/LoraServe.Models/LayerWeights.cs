using System.Collections.Immutable;
using LoraServe.Adapters.Edits;
using LoraServe.Compute.Memory;

namespace LoraServe.Models;

/// <summary>The weights of one layer.</summary>
/// <param name="AttentionNorm">Gains of the norm before attention, one float for each element of the width.</param>
/// <param name="MlpNorm">Gains of the norm before the MLP.</param>
/// <param name="Linears">The linear maps, indexed by <see cref="SiteRole"/> from Query to Down.</param>
public sealed record LayerWeights(NativeBuffer AttentionNorm, NativeBuffer MlpNorm, ImmutableArray<LinearWeights> Linears) : IDisposable
{
    /// <summary>Attention's query projection.</summary>
    public LinearWeights Query => Linears[(int)SiteRole.Query];

    /// <summary>Attention's key projection.</summary>
    public LinearWeights Key => Linears[(int)SiteRole.Key];

    /// <summary>Attention's value projection.</summary>
    public LinearWeights Value => Linears[(int)SiteRole.Value];

    /// <summary>Attention's output projection.</summary>
    public LinearWeights Output => Linears[(int)SiteRole.Output];

    /// <summary>The MLP's gate.</summary>
    public LinearWeights Gate => Linears[(int)SiteRole.Gate];

    /// <summary>The MLP's widening projection.</summary>
    public LinearWeights Up => Linears[(int)SiteRole.Up];

    /// <summary>The MLP's narrowing projection.</summary>
    public LinearWeights Down => Linears[(int)SiteRole.Down];

    /// <inheritdoc />
    public void Dispose()
    {
        AttentionNorm.Dispose();
        MlpNorm.Dispose();
        foreach (LinearWeights linear in Linears)
        {
            linear.Dispose();
        }
    }
}
