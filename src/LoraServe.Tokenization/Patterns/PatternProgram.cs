namespace LoraServe.Tokenization.Patterns;

/// <summary>A pattern compiled to instructions: one entry for each choice at the top.</summary>
internal sealed class PatternProgram
{
    private const int MaxInstructions = 4096;

    private readonly List<Instruction> _code = [];
    private readonly bool _careful;

    private PatternProgram(bool careful) => _careful = careful;

    /// <summary>The instructions.</summary>
    public Instruction[] Code { get; private set; } = [];

    /// <summary>Where each of the choices starts.</summary>
    public int[] Entries { get; private set; } = [];

    /// <summary>How many splits there are.</summary>
    public int SplitCount { get; private set; }

    /// <summary>Compiles a pattern.</summary>
    /// <param name="choices">The choices at the top.</param>
    /// <param name="careful">Without runs: every decision is a split, so that each can be recorded and none is tried twice.</param>
    public static PatternProgram Compile(IReadOnlyList<PatternNode> choices, bool careful)
    {
        PatternProgram program = new(careful);
        int[] entries = new int[choices.Count];
        for (int i = 0; i < entries.Length; i++)
        {
            entries[i] = program.EmitPart(choices[i]);
        }

        program.Code = [.. program._code];
        program.Entries = entries;
        return program;
    }

    private int Add(Instruction instruction)
    {
        if (_code.Count == MaxInstructions)
        {
            throw new FormatException($"the regular expression needs more than {MaxInstructions} instructions");
        }

        _code.Add(instruction);
        return _code.Count - 1;
    }

    private int EmitPart(PatternNode node)
    {
        int start = _code.Count;
        Emit(node, acceptFollows: true);
        Add(new Instruction(Operation.Accept));
        return start;
    }

    private void Emit(PatternNode node, bool acceptFollows)
    {
        switch (node)
        {
            case PatternNode.One one:
                Add(new Instruction(Operation.One, Set: one.Set));
                break;
            case PatternNode.Sequence sequence:
                for (int i = 0; i < sequence.Parts.Count; i++)
                {
                    Emit(sequence.Parts[i], acceptFollows && i == sequence.Parts.Count - 1);
                }

                break;
            case PatternNode.Choice choice:
                EmitChoice(choice, acceptFollows);
                break;
            case PatternNode.Repeat { Body: PatternNode.One one, Lazy: false } run when !_careful:
                Add(new Instruction(Operation.Run, Set: one.Set, Min: run.Min, Max: run.Max ?? int.MaxValue, Flag: acceptFollows));
                break;
            case PatternNode.Repeat repeat:
                EmitRepeat(repeat);
                break;
            case PatternNode.Atomic { Body: PatternNode.Repeat { Body: PatternNode.One one, Lazy: false } run } when !_careful:
                Add(new Instruction(Operation.Run, Set: one.Set, Min: run.Min, Max: run.Max ?? int.MaxValue, Flag: true));
                break;
            case PatternNode.Atomic atomic:
                EmitOwn(new Instruction(Operation.Atomic), atomic.Body);
                break;
            case PatternNode.Look look:
                EmitOwn(new Instruction(Operation.Look, Flag: look.Negative, Behind: look.Behind ?? 0), look.Body);
                break;
            case PatternNode.Anchor anchor:
                Add(new Instruction(Operation.Anchor, Anchor: anchor.Kind));
                break;
        }
    }

    private void EmitOwn(Instruction instruction, PatternNode body)
    {
        int at = Add(instruction);
        int part = EmitPart(body);
        _code[at] = instruction with { Other = part, Target = _code.Count };
    }

    private void EmitChoice(PatternNode.Choice choice, bool acceptFollows)
    {
        List<int> jumps = [];
        for (int i = 0; i < choice.Choices.Count; i++)
        {
            bool last = i == choice.Choices.Count - 1;
            int split = last ? -1 : AddSplit();
            Emit(choice.Choices[i], acceptFollows);
            if (!last)
            {
                jumps.Add(Add(new Instruction(Operation.Jump)));
                _code[split] = _code[split] with { Target = split + 1, Other = _code.Count };
            }
        }

        foreach (int jump in jumps)
        {
            _code[jump] = _code[jump] with { Target = _code.Count };
        }
    }

    private void EmitRepeat(PatternNode.Repeat repeat)
    {
        for (int i = 0; i < repeat.Min; i++)
        {
            Emit(repeat.Body, acceptFollows: false);
        }

        List<int> splits = [];
        if (repeat.Max is { } max)
        {
            for (int i = repeat.Min; i < max; i++)
            {
                splits.Add(AddSplit());
                Emit(repeat.Body, acceptFollows: false);
            }
        }
        else
        {
            int split = AddSplit();
            splits.Add(split);
            Emit(repeat.Body, acceptFollows: false);
            Add(new Instruction(Operation.Jump, Target: split));
        }

        foreach (int split in splits)
        {
            _code[split] = repeat.Lazy
                ? _code[split] with { Target = _code.Count, Other = split + 1 }
                : _code[split] with { Target = split + 1, Other = _code.Count };
        }
    }

    private int AddSplit() => Add(new Instruction(Operation.Split, SplitIndex: SplitCount++));
}
