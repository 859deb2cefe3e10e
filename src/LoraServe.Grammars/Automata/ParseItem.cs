namespace LoraServe.Grammars.Automata;

/// <summary>One place that a text may have come to.</summary>
/// <param name="Place">The instruction; <see cref="GrammarProgram.Return"/> where the outermost rule is at its end.</param>
/// <param name="Below">Where it may go on once the rule of that instruction is at its end; null below the outermost rule.</param>
internal readonly record struct ParseItem(int Place, ParseState? Below);
