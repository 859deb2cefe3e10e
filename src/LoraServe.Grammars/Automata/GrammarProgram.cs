using LoraServe.Grammars.Rules;

namespace LoraServe.Grammars.Automata;

/// <summary>Rules as instructions of a machine with a stack that reads bytes: what <see cref="ProgramBuilder"/> makes. Immutable.</summary>
internal sealed class GrammarProgram
{
    /// <summary>The one instruction that ends every rule.</summary>
    public const int Return = 0;

    /// <summary>What the rules are of, for errors.</summary>
    public required string What { get; init; }

    /// <summary>How many rules may be open within each other.</summary>
    public required int MostDepth { get; init; }

    public required Instruction[] Code { get; init; }

    public required ByteSet[] Sets { get; init; }

    /// <summary>Where each rule begins; the first is what a whole text must be.</summary>
    public required int[] Starts { get; init; }

    /// <summary>For each instruction: how many rules must at least be opened within each other to come from there to the end of its rule.</summary>
    public required int[] Depths { get; init; }

    /// <summary>For each byte a number that it shares with the bytes that are in the same sets.</summary>
    public required byte[] Classes { get; init; }

    /// <summary>A byte of each class.</summary>
    public required byte[] Members { get; init; }
}
