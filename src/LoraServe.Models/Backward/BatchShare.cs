using LoraServe.Adapters.Gradients;
using LoraServe.Models.Forward;

namespace LoraServe.Models.Backward;

/// <summary>What one adapter computes of a batch.</summary>
public sealed class BatchShare
{
    /// <summary>The adapter; null for the base alone.</summary>
    public ResidentAdapter? Adapter { get; init; }

    /// <summary>Adapters that act beside it, as a server stacks them; at most one of all has rows ahead of the prompt. Only where nothing is trained.</summary>
    public IReadOnlyList<ResidentAdapter> Beside { get; init; } = [];

    /// <summary>Where derivatives by its edits are added; null where it is not trained.</summary>
    public EditGradients? Gradients { get; init; }

    /// <summary>Its examples.</summary>
    public required IReadOnlyList<TrainingExample> Examples { get; init; }

    /// <summary>Label smoothing.</summary>
    public float Smoothing { get; init; }

    /// <summary>Given the labelled tokens' losses, writes their factors in the share's loss. Null: losses only.</summary>
    public TokenCoefficients? Coefficients { get; init; }

    /// <summary>Factor of every labelled token, where it does not depend on the losses: spares running the head twice.</summary>
    public float? UniformCoefficient { get; init; }

    /// <summary>After the pass: the loss of each labelled token, example after example.</summary>
    public float[] Losses { get; set; } = [];

    /// <summary>Whether <see cref="Hits"/> is wanted; only where nothing is trained.</summary>
    public bool WantsHits { get; init; }

    /// <summary>After the pass: whether each labelled token is the likeliest one, where that is wanted.</summary>
    public bool[] Hits { get; set; } = [];

    /// <summary>After the pass: number of labelled tokens of each example.</summary>
    public int[] LabelledTokens { get; set; } = [];
}
