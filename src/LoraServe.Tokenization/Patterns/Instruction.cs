namespace LoraServe.Tokenization.Patterns;

/// <summary>What an instruction of a compiled pattern does.</summary>
internal enum Operation
{
    /// <summary>The match, or the part that is run on its own, is complete.</summary>
    Accept,

    /// <summary>Takes one code point of <see cref="Instruction.Set"/>.</summary>
    One,

    /// <summary>Takes as many code points of the set as there are, from Min to Max, and gives them back one by one unless it is possessive.</summary>
    Run,

    /// <summary>Goes on at Target, and at Other where that fails.</summary>
    Split,

    /// <summary>Goes on at Target.</summary>
    Jump,

    /// <summary>Runs the part at Other on its own and goes on at Target after what it took.</summary>
    Atomic,

    /// <summary>Runs the part at Other on its own as a condition and goes on at Target.</summary>
    Look,

    /// <summary>Tests the place.</summary>
    Anchor,
}

/// <summary>One step of a compiled pattern.</summary>
/// <param name="Operation">What it does.</param>
/// <param name="Target">Where it goes on, for the operations that say so; the others go on at the next instruction.</param>
/// <param name="Other">The second way, or the part that is run on its own.</param>
/// <param name="Set">The code points that are taken.</param>
/// <param name="Min">Fewest code points of a Run.</param>
/// <param name="Max">Most code points of a Run.</param>
/// <param name="Flag">Possessive for a Run, negative for a Look.</param>
/// <param name="Behind">For a Look, how many code points before the place it starts.</param>
/// <param name="Anchor">What an Anchor tests.</param>
/// <param name="SplitIndex">Number of a Split among the splits, for the record of what was tried.</param>
internal sealed record Instruction(
    Operation Operation,
    int Target = 0,
    int Other = 0,
    CodePointSet? Set = null,
    int Min = 0,
    int Max = 0,
    bool Flag = false,
    int Behind = 0,
    AnchorKind Anchor = default,
    int SplitIndex = 0);
