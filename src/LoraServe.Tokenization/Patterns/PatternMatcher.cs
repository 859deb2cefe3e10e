using LoraServe.Tokenization.Text;

namespace LoraServe.Tokenization.Patterns;

/// <summary>Finds the matches of a pattern in one text after another. Not for several threads at once.</summary>
/// <remarks>
/// A state is a split and a place in the text. Without back-references a state that failed once fails always, whatever
/// the match's start was, so the careful run marks the states it has been in and never enters one again. The states on the
/// way to a match are no failures: their marks are taken away again. A part that is run on its own (a look-around, an atomic
/// group) leaves the same way from the same state, so its successes are recorded as well. Together this bounds the
/// work by the number of states.
/// </remarks>
internal sealed class PatternMatcher(Pattern pattern)
{
    private const int StepsPerUnit = 64;
    private const int StepsForShortTexts = 4096;
    private const int NoMatch = -1;
    private const int TooHard = -2;

    private readonly List<long> _trail = [];
    private (int Pc, int Position, int Min, int Trail)[] _frames = new (int, int, int, int)[32];
    private int _frameCount;
    private long _stepsLeft;
    private int _depth;
    private ulong[] _marks = [];
    private Dictionary<long, int>? _ownEnds;
    private bool _careful;
    private int _length;

    /// <summary>Turns to another text.</summary>
    public void Begin(ReadOnlySpan<char> text)
    {
        _length = text.Length;
        _careful = false;
        _stepsLeft = StepsForShortTexts + (long)StepsPerUnit * text.Length;
        if (pattern.NeedsCare)
        {
            BeCareful();
        }
    }

    /// <summary>The first match at or after a place of the text that <see cref="Begin"/> was given.</summary>
    public bool TryFind(ReadOnlySpan<char> text, int from, out int start, out int end)
    {
        for (start = from; start <= text.Length;)
        {
            end = MatchAt(text, start);
            if (end == TooHard)
            {
                BeCareful();
                continue;
            }

            if (end != NoMatch)
            {
                return true;
            }

            if (start == text.Length)
            {
                break;
            }

            CodePoints.At(text, start, out int units);
            start += units;
        }

        end = NoMatch;
        return false;
    }

    private void BeCareful()
    {
        long bits = (long)pattern.Careful.SplitCount * (_length + 1);
        _careful = true;
        int words = checked((int)((bits + 63) >> 6));
        if (_marks.Length < words)
        {
            _marks = new ulong[words];
        }
        else
        {
            Array.Clear(_marks, 0, words);
        }

        _ownEnds = null;
        _trail.Clear();
    }

    private int MatchAt(ReadOnlySpan<char> text, int start)
    {
        PatternProgram program = _careful ? pattern.Careful : pattern.Fast;
        ulong choices = start < text.Length ? pattern.ChoicesFor(text[start]) : pattern.AllChoices;
        for (; choices != 0; choices &= choices - 1)
        {
            _frameCount = 0;
            _depth = 0;
            int end = Run(program.Code, text, program.Entries[System.Numerics.BitOperations.TrailingZeroCount(choices)], start);
            if (end != NoMatch)
            {
                return end;
            }
        }

        return NoMatch;
    }

    /// <summary>Runs from an instruction to an Accept; the end of what was taken, or <see cref="NoMatch"/> or <see cref="TooHard"/>.</summary>
    private int Run(Instruction[] code, ReadOnlySpan<char> text, int pc, int position)
    {
        int bottom = _frameCount;
        int trailBottom = _trail.Count;
        while (true)
        {
            if (--_stepsLeft < 0 && !_careful)
            {
                return TooHard;
            }

            Instruction instruction = code[pc];
            bool goesOn;
            switch (instruction.Operation)
            {
                case Operation.Accept:
                    return Accept(bottom, trailBottom, position);
                case Operation.One:
                    goesOn = position < text.Length && instruction.Set!.Contains(CodePoints.At(text, position, out int units)) && Advance(ref position, units);
                    pc++;
                    break;
                case Operation.Run:
                    goesOn = TakeRun(instruction, text, pc + 1, ref position);
                    pc++;
                    break;
                case Operation.Split:
                    int known = _careful ? Enter(instruction.SplitIndex, position) : NoMatch;
                    if (known >= 0)
                    {
                        return Accept(bottom, trailBottom, known);
                    }

                    goesOn = known == NoMatch;
                    if (goesOn)
                    {
                        Push(instruction.Other, position, -1);
                        pc = instruction.Target;
                    }

                    break;
                case Operation.Jump:
                    goesOn = true;
                    pc = instruction.Target;
                    break;
                case Operation.Anchor:
                    goesOn = Holds(instruction.Anchor, text, position);
                    pc++;
                    break;
                default:
                    int end = RunOwn(code, instruction, text, position);
                    if (end == TooHard)
                    {
                        return TooHard;
                    }

                    goesOn = instruction.Operation == Operation.Look ? (end != NoMatch) != instruction.Flag : end != NoMatch;
                    if (goesOn && instruction.Operation == Operation.Atomic)
                    {
                        position = end;
                    }

                    pc = instruction.Target;
                    break;
            }

            if (!goesOn && !TryPop(bottom, text, out pc, out position))
            {
                // What is still on the trail has failed as well; its marks stay.
                _trail.RemoveRange(trailBottom, _trail.Count - trailBottom);
                return NoMatch;
            }
        }
    }

    private static bool Advance(ref int position, int units)
    {
        position += units;
        return true;
    }

    private bool TakeRun(Instruction run, ReadOnlySpan<char> text, int next, ref int position)
    {
        int count = 0;
        int at = position;
        int least = run.Min == 0 ? position : -1;
        CodePointSet set = run.Set!;
        while (count < run.Max && at < text.Length && set.Contains(CodePoints.At(text, at, out int units)))
        {
            at += units;
            if (++count == run.Min)
            {
                least = at;
            }
        }

        _stepsLeft -= count;
        if (least < 0)
        {
            return false;
        }

        position = at;
        if (!run.Flag && at > least)
        {
            Push(next, at, least);
        }

        return true;
    }

    /// <summary>Runs a part on its own, before the place where it looks behind.</summary>
    private int RunOwn(Instruction[] code, Instruction instruction, ReadOnlySpan<char> text, int position)
    {
        for (int i = 0; i < instruction.Behind; i++)
        {
            if (position == 0)
            {
                return NoMatch;
            }

            CodePoints.Before(text, position, out int units);
            position -= units;
        }

        _depth++;
        int end = Run(code, text, instruction.Other, position);
        _depth--;
        return end;
    }

    /// <summary>Enters a state: <see cref="NoMatch"/> if it is new, <see cref="TooHard"/> if it is known to fail, else the end it is known to lead to.</summary>
    private int Enter(int split, int position)
    {
        long state = (long)split * (_length + 1) + position;
        if (_depth > 0 && _ownEnds is not null && _ownEnds.TryGetValue(state, out int end))
        {
            return end;
        }

        ref ulong word = ref _marks[state >> 6];
        ulong bit = 1UL << (int)(state & 63);
        if ((word & bit) != 0)
        {
            return TooHard;
        }

        word |= bit;
        _trail.Add(state);
        return NoMatch;
    }

    private int Accept(int bottom, int trailBottom, int position)
    {
        _frameCount = bottom;
        if (!_careful)
        {
            return position;
        }

        for (int i = trailBottom; i < _trail.Count; i++)
        {
            _marks[_trail[i] >> 6] &= ~(1UL << (int)(_trail[i] & 63));
            if (_depth > 0)
            {
                (_ownEnds ??= [])[_trail[i]] = position;
            }
        }

        _trail.RemoveRange(trailBottom, _trail.Count - trailBottom);
        return position;
    }

    private void Push(int pc, int position, int min)
    {
        if (_frameCount == _frames.Length)
        {
            Array.Resize(ref _frames, 2 * _frameCount);
        }

        _frames[_frameCount++] = (pc, position, min, _trail.Count);
    }

    private bool TryPop(int bottom, ReadOnlySpan<char> text, out int pc, out int position)
    {
        if (_frameCount == bottom)
        {
            pc = position = 0;
            return false;
        }

        ref (int Pc, int Position, int Min, int Trail) frame = ref _frames[_frameCount - 1];
        pc = frame.Pc;
        position = frame.Position;
        if (frame.Min < 0)
        {
            _frameCount--;
            // The way that was tried first has failed with all that it entered.
            if (_trail.Count > frame.Trail)
            {
                _trail.RemoveRange(frame.Trail, _trail.Count - frame.Trail);
            }

            return true;
        }

        CodePoints.Before(text, position, out int units);
        position -= units;
        frame.Position = position;
        if (position <= frame.Min)
        {
            _frameCount--;
        }

        return true;
    }

    private static bool Holds(AnchorKind anchor, ReadOnlySpan<char> text, int position) => anchor switch
    {
        AnchorKind.TextStart => position == 0,
        AnchorKind.TextEnd => position == text.Length,
        AnchorKind.TextEndOrLastNewLine => position == text.Length || (position == text.Length - 1 && text[position] == '\n'),
        AnchorKind.LineStart => position == 0 || text[position - 1] == '\n',
        AnchorKind.LineEnd => position == text.Length || text[position] == '\n',
        _ => (IsWordAt(text, position) != IsWordBefore(text, position)) == (anchor == AnchorKind.WordBoundary),
    };

    private static bool IsWordAt(ReadOnlySpan<char> text, int position) =>
        position < text.Length && CodePointSet.Word.Contains(CodePoints.At(text, position, out _));

    private static bool IsWordBefore(ReadOnlySpan<char> text, int position) =>
        position > 0 && CodePointSet.Word.Contains(CodePoints.Before(text, position, out _));
}
