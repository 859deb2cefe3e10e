namespace LoraServe.Grammars.Automata;

/// <summary>One place of a <see cref="GrammarProgram"/>.</summary>
/// <param name="Kind">What is done.</param>
/// <param name="A">Byte: the number of its set. Split: one place to go on at. Call: the rule.</param>
/// <param name="B">Byte and call: where to go on. Split: the other place.</param>
internal readonly record struct Instruction(InstructionKind Kind, int A, int B);

/// <summary>What an <see cref="Instruction"/> does.</summary>
internal enum InstructionKind
{
    /// <summary>A rule is at its end.</summary>
    Return,

    /// <summary>Takes a byte of a set.</summary>
    Byte,

    /// <summary>Goes on at two places.</summary>
    Split,

    /// <summary>Takes what a rule has.</summary>
    Call,
}
