using System.Collections.Immutable;

namespace LoraServe.Templates;

/// <summary>What a chat template wrote.</summary>
/// <param name="Text">All of it.</param>
/// <param name="Generated">The parts that stand between <c>{% generation %}</c> and <c>{% endgeneration %}</c>: what the model itself says, in order.</param>
public sealed record RenderedChat(string Text, ImmutableArray<(int Start, int End)> Generated);
