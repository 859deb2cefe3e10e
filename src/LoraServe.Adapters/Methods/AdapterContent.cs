using System.Collections.Immutable;
using LoraServe.Adapters.Edits;

namespace LoraServe.Adapters.Methods;

/// <summary>What a method's reader makes of an adapter's files.</summary>
/// <param name="Method">The method's usual name.</param>
/// <param name="Modules">What is done to each module, in the base's order.</param>
/// <param name="Norms">What is done to norms.</param>
/// <param name="Unmatched">Names in the configuration that the base does not have.</param>
/// <param name="InvocationTokens">Tokens that activate it; empty: always active.</param>
internal sealed record AdapterContent(
    string Method,
    IReadOnlyList<ModuleEdits> Modules,
    IReadOnlyList<NormDelta> Norms,
    ImmutableArray<string> Unmatched,
    ImmutableArray<int> InvocationTokens);
