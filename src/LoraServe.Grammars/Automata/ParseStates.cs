using System.Runtime.CompilerServices;
using LoraServe.Grammars.Rules;

namespace LoraServe.Grammars.Automata;

/// <summary>The states of a program, made when a text comes to them, each once. For one thread at a time.</summary>
/// <remarks>
/// A text nested in ever new ways comes to ever new states, so they are bounded: when they take too much memory all are forgotten and a new
/// generation begins, into which <see cref="Adopt"/> takes over a state that is still needed. An ambiguous program costs time in
/// proportion to its instructions for each byte, not to the number of readings, because readings that are at the same instruction
/// become one. What one question may cost is bounded all the same.
/// </remarks>
internal sealed class ParseStates
{
    /// <summary>Bytes of one generation's states and what is kept with them, after which a new one begins.</summary>
    public const long MostBytes = 16L << 20;

    /// <summary>Steps that one question may take; some tenths of a second.</summary>
    private const int MostWork = 5_000_000;

    private static readonly IEqualityComparer<ParseItem[]> s_byItems = new ItemsComparer();

    private readonly GrammarProgram _program;
    private readonly Dictionary<ParseItem[], ParseState> _states = new(s_byItems);
    private readonly Dictionary<(ParseState, ParseState), ParseState> _unions = [];
    private readonly Dictionary<ParseState, ParseState> _adopted = [];
    private readonly Dictionary<int, ParseState?> _found = [];
    private readonly Stack<ParseItem> _open = new();
    private long _bytes;
    private int _generation;
    private int _work;
    private int _deepest;

    public ParseStates(GrammarProgram program)
    {
        _program = program;
        Bottom = Make([new ParseItem(GrammarProgram.Return, null)]);
    }

    /// <summary>Stands in <see cref="ParseState.Next"/> where no byte leads on.</summary>
    public static ParseState Dead { get; } = new([], 0, -1);

    /// <summary>The state of a text that is whole.</summary>
    public ParseState Bottom { get; private set; }

    /// <summary>The state of the empty text.</summary>
    public ParseState Start => Of([_program.Starts[0]]);

    /// <summary>Begins a question: what it costs is counted from here, and states that became too many are forgotten.</summary>
    /// <param name="state">The state that it is about; gets its form of today.</param>
    public void Begin(ref ParseState state)
    {
        _work = 0;
        if (_bytes > MostBytes)
        {
            _generation++;
            _bytes = 0;
            _states.Clear();
            _unions.Clear();
            Bottom = Make([new ParseItem(GrammarProgram.Return, null)]);
        }

        if (state.Generation != _generation)
        {
            state = Adopt(state);
            _adopted.Clear();
        }
    }

    /// <summary>The state at some places with nothing below but the end.</summary>
    public ParseState Of(ReadOnlySpan<int> places)
    {
        _found.Clear();
        foreach (int place in places)
        {
            _found[place] = Bottom;
        }

        return Take();
    }

    /// <summary>The state after a byte; <see cref="Dead"/> where there is none.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ParseState Step(ParseState state, byte value)
    {
        int kind = _program.Classes[value];
        return state.Next?[kind] ?? StepAnew(state, kind);
    }

    /// <summary>Whether a text may end in a state.</summary>
    public bool CanEnd(ParseState state)
    {
        Readers(state);
        return state.CanEnd;
    }

    /// <summary>How deep rules are within each other at what a state comes to without a byte, up to the ends that are reached soonest.</summary>
    public int Deepest(ParseState state)
    {
        Readers(state);
        return state.Deepest;
    }

    /// <summary>Whether what comes so deep may lie over a state.</summary>
    public bool IsWithin(ParseState below, int deepest) => below.Depth + deepest <= _program.MostDepth;

    /// <summary>Whether nothing can follow.</summary>
    public bool IsComplete(ParseState state) => Readers(state).Length == 0;

    /// <summary>Counts memory that is kept with a state.</summary>
    public void Count(long bytes) => _bytes += bytes;

    private ParseState StepAnew(ParseState state, int kind)
    {
        ParseItem[] readers = Readers(state);
        _found.Clear();
        byte member = _program.Members[kind];
        foreach (ParseItem item in readers)
        {
            Work();
            Instruction instruction = _program.Code[item.Place];
            if (_program.Sets[instruction.A].Contains(member))
            {
                Find(instruction.B, item.Below!);
            }
        }

        ParseState next = _found.Count == 0 ? Dead : Take();
        if (state.Next is null)
        {
            state.Next = new ParseState?[_program.Members.Length];
            Count(32 + (8 * _program.Members.Length));
        }

        return state.Next[kind] = next;
    }

    /// <summary>The items that take a byte, of those that a state comes to without one.</summary>
    private ParseItem[] Readers(ParseState state)
    {
        if (state.Readers is { } known)
        {
            return known;
        }

        _found.Clear();
        _open.Clear();
        _deepest = 0;
        foreach (ParseItem item in state.Items)
        {
            Visit(item.Place, item.Below);
        }

        while (_open.TryPop(out ParseItem item))
        {
            Instruction instruction = _program.Code[item.Place];
            switch (instruction.Kind)
            {
                case InstructionKind.Split:
                    Visit(instruction.A, item.Below);
                    Visit(instruction.B, item.Below);
                    break;
                case InstructionKind.Call when instruction.B == GrammarProgram.Return:
                    Visit(_program.Starts[instruction.A], item.Below);
                    break;
                case InstructionKind.Call:
                    Visit(_program.Starts[instruction.A], Make([new ParseItem(instruction.B, item.Below)]));
                    break;
            }
        }

        state.Deepest = _deepest;
        state.CanEnd = _found.ContainsKey(GrammarProgram.Return);
        return state.Readers = [.. _found.Where(item => _program.Code[item.Key].Kind == InstructionKind.Byte).Select(item => new ParseItem(item.Key, item.Value))];
    }

    /// <summary>Goes to a place; what is below it there already is united with what comes.</summary>
    private void Visit(int place, ParseState? below)
    {
        Work();
        if (place == GrammarProgram.Return && below is not null)
        {
            foreach (ParseItem item in below.Items)
            {
                Visit(item.Place, item.Below);
            }

            return;
        }

        if (Find(place, below))
        {
            _open.Push(new ParseItem(place, _found[place]));
        }
    }

    /// <summary>Puts a place among those found; true where that tells something new.</summary>
    private bool Find(int place, ParseState? below)
    {
        if (place == GrammarProgram.Return && below is not null)
        {
            bool isNew = false;
            foreach (ParseItem item in below.Items)
            {
                isNew |= Find(item.Place, item.Below);
            }

            return isNew;
        }

        // Without an end, or deeper than may be: as if it were not there.
        int within = _program.Depths[place];
        if (within == ProgramAnalysis.Endless)
        {
            return false;
        }

        int depth = within + (below?.Depth ?? 0);
        _deepest = Math.Max(_deepest, depth);
        if (depth > _program.MostDepth)
        {
            return false;
        }

        if (!_found.TryGetValue(place, out ParseState? known))
        {
            _found.Add(place, below);
            return true;
        }

        ParseState? united = known is null || below is null || known == below ? known : Union(known, below);
        _found[place] = united;
        return united != known;
    }

    private ParseState Take()
    {
        var items = new ParseItem[_found.Count];
        int count = 0;
        foreach ((int place, ParseState? below) in _found)
        {
            items[count++] = new ParseItem(place, below);
        }

        Array.Sort(items, (one, other) => one.Place.CompareTo(other.Place));
        return Make(items);
    }

    private ParseState Union(ParseState one, ParseState other)
    {
        if (one == other)
        {
            return one;
        }

        if (_unions.TryGetValue((one, other), out ParseState? known))
        {
            return known;
        }

        EnsureStack();
        List<ParseItem> items = new(one.Items.Length + other.Items.Length);
        int i = 0, j = 0;
        while (i < one.Items.Length || j < other.Items.Length)
        {
            Work();
            int order = i == one.Items.Length ? 1 : j == other.Items.Length ? -1 : one.Items[i].Place.CompareTo(other.Items[j].Place);
            ParseItem item = order <= 0 ? one.Items[i] : other.Items[j];
            items.Add(order == 0 && item.Below is { } below ? item with { Below = Union(below, other.Items[j].Below!) } : item);
            i += order <= 0 ? 1 : 0;
            j += order >= 0 ? 1 : 0;
        }

        ParseState union = Make([.. items]);
        Count(64);
        _unions.Add((one, other), union);
        return union;
    }

    private ParseState Make(ParseItem[] items)
    {
        if (!_states.TryGetValue(items, out ParseState? state))
        {
            int depth = items[0].Below is { } first ? first.Depth + 1 : 0;
            foreach (ParseItem item in items)
            {
                depth = Math.Min(depth, item.Below is { } below ? below.Depth + 1 : 0);
            }

            Count(160 + (16 * items.Length));
            _states.Add(items, state = new ParseState(items, depth, _generation));
        }

        return state;
    }

    private ParseState Adopt(ParseState state)
    {
        if (state.Generation == _generation)
        {
            return state;
        }

        if (!_adopted.TryGetValue(state, out ParseState? adopted))
        {
            EnsureStack();
            _adopted.Add(state, adopted = Make([.. state.Items.Select(item => item.Below is { } below ? item with { Below = Adopt(below) } : item)]));
        }

        return adopted;
    }

    private void Work()
    {
        if (++_work > MostWork || _bytes > 8 * MostBytes)
        {
            throw TooAmbiguous();
        }
    }

    /// <summary>One of the readings of an ambiguous text may be nested deeper than any that counts.</summary>
    private void EnsureStack()
    {
        if (!RuntimeHelpers.TryEnsureSufficientExecutionStack())
        {
            throw TooAmbiguous();
        }
    }

    private GrammarException TooAmbiguous() =>
        new($"{_program.What}: it can be read in so many ways that the next token costs too much. Make it less ambiguous.");

    private sealed class ItemsComparer : IEqualityComparer<ParseItem[]>
    {
        public bool Equals(ParseItem[]? one, ParseItem[]? other) => one.AsSpan().SequenceEqual(other);

        public int GetHashCode(ParseItem[] items)
        {
            HashCode hash = default;
            foreach (ParseItem item in items)
            {
                hash.Add(item.Place);
                hash.Add(item.Below is null ? 0 : RuntimeHelpers.GetHashCode(item.Below));
            }

            return hash.ToHashCode();
        }
    }
}
