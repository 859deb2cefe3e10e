using LoraServe.Grammars.Rules;

namespace LoraServe.Grammars.Automata;

/// <summary>Turns rules into a <see cref="GrammarProgram"/>, from their ends to their beginnings, so that equal endings are made once.</summary>
internal sealed class ProgramBuilder
{
    /// <summary>Most instructions of a program.</summary>
    public const int MostInstructions = 400_000;

    /// <summary>Most parts of expressions that are gone through to make them, those in repetitions as often as they are repeated.</summary>
    private const int MostWork = 2_000_000;

    /// <summary>The instruction that takes no byte and has no end.</summary>
    private const int NeverEnds = 1;

    private readonly RuleSet _rules;
    private readonly List<Instruction> _code = [new(InstructionKind.Return, 0, 0), new(InstructionKind.Byte, 0, NeverEnds)];
    private readonly Dictionary<Instruction, int> _known = [];
    private readonly List<ByteSet> _sets = [ByteSet.Empty];
    private readonly Dictionary<ByteSet, int> _setNumbers = [];
    private int _work;

    private ProgramBuilder(RuleSet rules) => _rules = rules;

    /// <summary>The program of some rules.</summary>
    /// <exception cref="GrammarException">It would be too large, a rule begins with itself, or no text is ever at its end.</exception>
    public static GrammarProgram Build(RuleSet rules)
    {
        ProgramBuilder builder = new(rules);
        int[] starts = new int[rules.Count];
        for (int i = 0; i < starts.Length; i++)
        {
            starts[i] = builder.Emit(rules.Body(i)!, GrammarProgram.Return);
        }

        Instruction[] code = [.. builder._code];
        ProgramAnalysis analysis = new(code, starts);
        if (analysis.FindRuleThatBeginsWithItself() is >= 0 and int rule)
        {
            throw new GrammarException($"{rules.What}: {rules.Name(rule)} begins with itself (left recursion). Let it begin with something else and repeat what follows.");
        }

        int[] depths = analysis.Depths();
        if (depths[starts[0]] > rules.MostDepth)
        {
            throw new GrammarException(depths[starts[0]] == ProgramAnalysis.Endless
                ? $"{rules.What}: no text satisfies it: {rules.Name(0)} has no end that can be reached."
                : $"{rules.What}: even its shortest text is nested {depths[starts[0]]} deep; at most {rules.MostDepth} are possible.");
        }

        (byte[] classes, byte[] members) = ClassesOf(builder._sets);
        return new GrammarProgram
        {
            What = rules.What,
            MostDepth = rules.MostDepth,
            Code = code,
            Sets = [.. builder._sets],
            Starts = starts,
            Depths = depths,
            Classes = classes,
            Members = members,
        };
    }

    /// <summary>Makes an expression that goes on at an instruction, and says where it begins.</summary>
    private int Emit(Expression expression, int next)
    {
        if (++_work > MostWork)
        {
            throw TooLarge();
        }

        switch (expression)
        {
            case Expression.Literal literal:
                for (int i = literal.Bytes.Length - 1; i >= 0; i--)
                {
                    next = Byte(ByteSet.Range(literal.Bytes[i], literal.Bytes[i]), next);
                }

                return next;
            case Expression.Characters characters:
                return Characters(characters.Set, next);
            case Expression.Sequence sequence:
                for (int i = sequence.Parts.Count - 1; i >= 0; i--)
                {
                    next = Emit(sequence.Parts[i], next);
                }

                return next;
            case Expression.Choice choice:
                int entry = choice.Alternatives.Count == 0 ? NeverEnds : Emit(choice.Alternatives[^1], next);
                for (int i = choice.Alternatives.Count - 2; i >= 0; i--)
                {
                    entry = Split(Emit(choice.Alternatives[i], next), entry);
                }

                return entry;
            case Expression.Repeat repeat:
                return Repeat(repeat, next);
            case Expression.Reference reference:
                return Add(new Instruction(InstructionKind.Call, reference.Rule, next));
            default:
                throw new ArgumentOutOfRangeException(nameof(expression));
        }
    }

    private int Repeat(Expression.Repeat repeat, int next)
    {
        int entry = next;
        if (repeat.Most is { } most)
        {
            for (int i = repeat.Least; i < most; i++)
            {
                entry = Split(Emit(repeat.Body, entry), next);
            }
        }
        else
        {
            // Its body goes back to it, so it has its place before it has its content.
            entry = _code.Count;
            _code.Add(default);
            _code[entry] = new Instruction(InstructionKind.Split, Emit(repeat.Body, entry), next);
        }

        for (int i = 0; i < repeat.Least; i++)
        {
            entry = Emit(repeat.Body, entry);
        }

        return entry;
    }

    private int Characters(CharacterSet set, int next)
    {
        List<ByteSet[]> runs = [];
        foreach ((int first, int last) in set.Ranges)
        {
            Utf8Ranges.Add(first, last, runs);
        }

        // Runs that go on in the same way share one instruction for their first bytes.
        Dictionary<int, ByteSet> firsts = [];
        foreach (ByteSet[] run in runs)
        {
            int rest = next;
            for (int i = run.Length - 1; i > 0; i--)
            {
                rest = Byte(run[i], rest);
            }

            firsts[rest] = firsts.GetValueOrDefault(rest).Union(run[0]);
        }

        int entry = -1;
        foreach ((int rest, ByteSet bytes) in firsts)
        {
            int first = Byte(bytes, rest);
            entry = entry < 0 ? first : Split(first, entry);
        }

        return entry < 0 ? NeverEnds : entry;
    }

    private int Byte(ByteSet set, int next)
    {
        if (!_setNumbers.TryGetValue(set, out int number))
        {
            number = _sets.Count;
            _sets.Add(set);
            _setNumbers.Add(set, number);
        }

        return Add(new Instruction(InstructionKind.Byte, number, next));
    }

    private int Split(int one, int other) => one == other ? one : Add(new Instruction(InstructionKind.Split, one, other));

    private int Add(Instruction instruction)
    {
        if (!_known.TryGetValue(instruction, out int place))
        {
            if (_code.Count >= MostInstructions)
            {
                throw TooLarge();
            }

            place = _code.Count;
            _code.Add(instruction);
            _known.Add(instruction, place);
        }

        return place;
    }

    private GrammarException TooLarge() =>
        new($"{_rules.What}: more than {MostInstructions} states come of it. Use smaller counts of repetition, shorter lists or fewer alternatives.");

    /// <summary>Bytes that no set tells apart are one class.</summary>
    private static (byte[] Classes, byte[] Members) ClassesOf(List<ByteSet> sets)
    {
        byte[] classes = new byte[256];
        int count = 1;
        foreach (ByteSet set in sets)
        {
            // Every class becomes up to two: its bytes that are in the set, and its others.
            Dictionary<(byte Class, bool IsIn), byte> parts = [];
            for (int value = 0; value < 256; value++)
            {
                (byte, bool) part = (classes[value], set.Contains((byte)value));
                if (!parts.TryGetValue(part, out byte number))
                {
                    parts.Add(part, number = (byte)parts.Count);
                }

                classes[value] = number;
            }

            count = parts.Count;
        }

        byte[] members = new byte[count];
        for (int value = 255; value >= 0; value--)
        {
            members[classes[value]] = (byte)value;
        }

        return (classes, members);
    }
}
