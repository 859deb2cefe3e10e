using System.Collections.Immutable;

namespace LoraServe.Adapters;

/// <summary>What loading an adapter on a base found: enough to see whether it does what its maker meant.</summary>
public sealed record AdapterReport
{
    /// <summary>How it was trained, such as <c>LoRA</c>, <c>DoRA</c> or <c>prefix tuning</c>.</summary>
    public required string Method { get; init; }

    /// <summary>Paths of what it edits in the base: modules and norms in the base's order, or where bottlenecks and prefixes act.</summary>
    public required ImmutableArray<string> MatchedModules { get; init; }

    /// <summary>What its configuration names and the base has not.</summary>
    public required ImmutableArray<string> UnmatchedModules { get; init; }

    /// <summary>Smallest rank of a low-rank edit; 0 where there is none.</summary>
    public required int MinimumRank { get; init; }

    /// <summary>Greatest rank of a low-rank edit; 0 where there is none.</summary>
    public required int MaximumRank { get; init; }

    /// <summary>For how many tasks it was trained; 1 for most methods. Where there are several, a use of it is for one of them.</summary>
    public int Tasks { get; init; } = 1;

    /// <summary>Rows that it puts ahead of the prompt; 0 for most methods.</summary>
    public int VirtualRows { get; init; }

    /// <summary>
    /// By module name (<c>q_proj</c>, …): Frobenius norm of the change of all such weights, biases excepted. What is no change of a weight
    /// goes by its own name: virtual tokens and prefixes with the norm of their values, bottlenecks with that of their product.
    /// </summary>
    public required ImmutableSortedDictionary<string, double> DeltaNorms { get; init; }

    /// <summary>What is unusual in its files and was read all the same, or left out: a sentence each, with the file's name.</summary>
    public ImmutableArray<string> Notes { get; init; } = [];

    /// <summary>Bytes of its weights file.</summary>
    public required long FileBytes { get; init; }

    /// <summary>Number of tensors in its weights file.</summary>
    public required int TensorCount { get; init; }
}
