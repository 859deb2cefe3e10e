namespace LoraServe.Grammars.Automata;

/// <summary>All places that a text may have come to, each with where it may go on afterwards: a set of stacks that share their lower parts.</summary>
/// <remarks>
/// What lies below an item is a state itself: it is the state that the text is in once the item's rule is at its end. States are made by
/// <see cref="ParseStates"/> alone, once for each content, so that equal states are one object; what was found out about one stays with it.
/// </remarks>
internal sealed class ParseState(ParseItem[] items, int depth, int generation)
{
    /// <summary>By ascending place, each place once.</summary>
    public ParseItem[] Items { get; } = items;

    /// <summary>How many states lie below each other in it, where they are the fewest.</summary>
    public int Depth { get; } = depth;

    /// <summary>Of which set of states it is, see <see cref="ParseStates"/>.</summary>
    public int Generation { get; } = generation;

    /// <summary>Items that take a byte, once they are looked for.</summary>
    public ParseItem[]? Readers { get; set; }

    /// <summary>Whether the outermost rule may be at its end; known with <see cref="Readers"/>.</summary>
    public bool CanEnd { get; set; }

    /// <summary>See <see cref="ParseStates.Deepest"/>; known with <see cref="Readers"/>.</summary>
    public int Deepest { get; set; }

    /// <summary>By class of the next byte: the state after it, <see cref="ParseStates.Dead"/> where there is none, null where it is not known yet.</summary>
    public ParseState?[]? Next { get; set; }

    /// <summary>Which tokens may come next, where that was asked for.</summary>
    public ulong[]? Mask { get; set; }

    /// <summary>Of a state with nothing below but the end: what its mask is made of, where that was asked for.</summary>
    public FrameMask? Frame { get; set; }
}
