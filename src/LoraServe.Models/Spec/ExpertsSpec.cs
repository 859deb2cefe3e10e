using System.Collections.Immutable;

namespace LoraServe.Models.Spec;

/// <summary>A mixture of experts in place of a layer's MLP: a router scores them for each row, the best of them run, and are added by their share.</summary>
/// <param name="Count">Experts of a layer.</param>
/// <param name="PerRow">How many of them a row goes through.</param>
/// <param name="Width">Elements between an expert's widening and narrowing.</param>
public sealed record ExpertsSpec(int Count, int PerRow, int Width)
{
    /// <summary>Whether the shares of those that run add up to one, instead of the shares of all.</summary>
    public bool SharesAddUp { get; init; } = true;

    /// <summary>The layers that have an MLP all the same.</summary>
    public ImmutableArray<int> DenseLayers { get; init; } = [];
}
