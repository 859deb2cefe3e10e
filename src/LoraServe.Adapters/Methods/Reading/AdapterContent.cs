using System.Collections.Immutable;
using LoraServe.Adapters.Edits;

namespace LoraServe.Adapters.Methods.Reading;

/// <summary>What a method's reader makes of an adapter's files.</summary>
/// <param name="Method">The method's usual name.</param>
internal sealed record AdapterContent(string Method)
{
    /// <summary>What is done to each module, in the base's order.</summary>
    public IReadOnlyList<ModuleEdits> Modules { get; init; } = [];

    /// <summary>What is done to norms.</summary>
    public IReadOnlyList<NormDelta> Norms { get; init; } = [];

    /// <summary>What is done elsewhere: virtual tokens, prefixes, prompts, bottlenecks.</summary>
    public IReadOnlyList<PlacedEdit> Placed { get; init; } = [];

    /// <summary>Names in the configuration that the base does not have.</summary>
    public ImmutableArray<string> Unmatched { get; init; } = [];

    /// <summary>Tokens that activate it; empty: always active.</summary>
    public ImmutableArray<int> InvocationTokens { get; init; } = [];
}
