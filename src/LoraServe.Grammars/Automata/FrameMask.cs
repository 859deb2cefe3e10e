namespace LoraServe.Grammars.Automata;

/// <summary>What places of a rule say of all tokens, whatever the rule is within.</summary>
/// <param name="Accepted">A bit for each token: its bytes lead on, or to the rule's end and no further.</param>
/// <param name="Exits">Nodes of the tree of tokens at which the rule may be at its end: what lies below those depends on where it goes on then.</param>
/// <param name="Deepest">How deep rules come to be within each other on the way.</param>
internal sealed record FrameMask(ulong[] Accepted, int[] Exits, int Deepest);
