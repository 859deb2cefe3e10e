namespace LoraServe.Grammars.Automata;

/// <summary>What can be said of a program before any text is read. Takes time in proportion to the program.</summary>
internal sealed class ProgramAnalysis
{
    /// <summary>The depth of what never comes to an end.</summary>
    public const int Endless = int.MaxValue;

    private readonly Instruction[] _code;
    private readonly int[] _starts;
    private readonly List<int>[] _before;
    private readonly List<int>?[] _begins;

    public ProgramAnalysis(Instruction[] code, int[] starts)
    {
        (_code, _starts) = (code, starts);
        _before = new List<int>[code.Length];
        _begins = new List<int>?[code.Length];
        for (int i = 0; i < code.Length; i++)
        {
            _before[i] = [];
        }

        for (int i = 1; i < code.Length; i++)
        {
            Instruction instruction = code[i];
            _before[instruction.B].Add(i);
            if (instruction.Kind == InstructionKind.Split)
            {
                _before[instruction.A].Add(i);
            }
            else if (instruction.Kind == InstructionKind.Call)
            {
                (_begins[starts[instruction.A]] ??= []).Add(i);
            }
        }
    }

    /// <summary>For each instruction how many rules must at least be opened within each other to reach its rule's end; <see cref="Endless"/> where it cannot be reached.</summary>
    /// <remarks>Knuth's form of the shortest path: an instruction's depth is final when it is taken out, as depths never shrink on the way.</remarks>
    public int[] Depths() => Reach(_ => true);

    /// <summary>A rule that begins with itself, perhaps by way of others; −1 where there is none.</summary>
    public int FindRuleThatBeginsWithItself()
    {
        bool[] isEmpty = [.. Reach(instruction => instruction.Kind != InstructionKind.Byte).Select(depth => depth != Endless)];
        int[][] firsts = [.. _starts.Select(start => RulesAtBeginning(start, isEmpty))];
        byte[] colours = new byte[_starts.Length];
        Stack<(int Rule, int Next)> path = new();
        for (int rule = 0; rule < _starts.Length; rule++)
        {
            if (colours[rule] == 0)
            {
                path.Push((rule, 0));
                colours[rule] = 1;
            }

            while (path.TryPop(out (int Rule, int Next) at))
            {
                if (at.Next == firsts[at.Rule].Length)
                {
                    colours[at.Rule] = 2;
                    continue;
                }

                path.Push((at.Rule, at.Next + 1));
                int first = firsts[at.Rule][at.Next];
                if (colours[first] == 1)
                {
                    return first;
                }

                if (colours[first] == 0)
                {
                    colours[first] = 1;
                    path.Push((first, 0));
                }
            }
        }

        return -1;
    }

    private int[] RulesAtBeginning(int start, bool[] isEmpty)
    {
        HashSet<int> rules = [];
        HashSet<int> seen = [start];
        Stack<int> open = new([start]);
        while (open.TryPop(out int place))
        {
            Instruction instruction = _code[place];
            if (instruction.Kind == InstructionKind.Call)
            {
                rules.Add(instruction.A);
            }

            bool goesOn = instruction.Kind == InstructionKind.Split || (instruction.Kind == InstructionKind.Call && isEmpty[_starts[instruction.A]]);
            if (goesOn && seen.Add(instruction.B))
            {
                open.Push(instruction.B);
            }

            if (instruction.Kind == InstructionKind.Split && seen.Add(instruction.A))
            {
                open.Push(instruction.A);
            }
        }

        return [.. rules];
    }

    private int[] Reach(Func<Instruction, bool> mayPass)
    {
        int[] depths = new int[_code.Length];
        Array.Fill(depths, Endless);
        PriorityQueue<int, int> open = new();
        open.Enqueue(GrammarProgram.Return, 0);
        while (open.TryDequeue(out int place, out int depth))
        {
            if (depths[place] != Endless)
            {
                continue;
            }

            depths[place] = depth;
            foreach (int before in _before[place].Concat(_begins[place] ?? []))
            {
                Instruction instruction = _code[before];
                if (depths[before] != Endless || !mayPass(instruction))
                {
                    continue;
                }

                if (instruction.Kind != InstructionKind.Call)
                {
                    open.Enqueue(before, depth);
                }
                else if (depths[instruction.B] is not Endless and int after && depths[_starts[instruction.A]] is not Endless and int within)
                {
                    // What comes last in a rule needs no place to come back to.
                    open.Enqueue(before, instruction.B == GrammarProgram.Return ? within : Math.Max(within + 1, after));
                }
            }
        }

        return depths;
    }
}
