using LoraServe.Grammars.Automata;
using LoraServe.Grammars.Masks;

namespace LoraServe.Grammars;

/// <summary>A grammar over the tokens of a model. Any number of answers on any threads may follow it at once; what one finds out of its tokens serves all.</summary>
/// <remarks>Masks are made when a text first comes to a state, and kept within a bound: see <see cref="MostBytes"/>.</remarks>
public sealed class CompiledGrammar
{
    private readonly Lock _lock = new();
    private readonly ParseStates _states;
    private readonly MaskMaker _masks;
    private ulong[]? _first;

    internal CompiledGrammar(GrammarProgram program, TokenVocabulary vocabulary)
    {
        Vocabulary = vocabulary;
        _states = new ParseStates(program);
        _masks = new MaskMaker(_states, vocabulary);
    }

    /// <summary>About how many bytes of masks and states are kept of one grammar before they are made anew.</summary>
    public static long MostBytes => ParseStates.MostBytes;

    /// <summary>The tokens that it is over.</summary>
    public TokenVocabulary Vocabulary { get; }

    /// <summary>Follows one answer from its beginning.</summary>
    public GrammarMatcher CreateMatcher()
    {
        lock (_lock)
        {
            ParseState start = _states.Bottom;
            _states.Begin(ref start);
            return new GrammarMatcher(this, _states.Start);
        }
    }

    /// <summary>Which tokens may come next.</summary>
    internal ulong[] Mask(ref ParseState state, bool isFirst)
    {
        lock (_lock)
        {
            _states.Begin(ref state);
            return isFirst && Vocabulary.FirstTrie != Vocabulary.Trie ? _first ??= _masks.OfFirst(state) : _masks.Of(state);
        }
    }

    /// <summary>Goes on by a token; false, and the state as it was, where it may not come next.</summary>
    internal bool TryAdvance(ref ParseState state, int token, bool isFirst)
    {
        ReadOnlySpan<byte> bytes = Vocabulary.Bytes(token, isFirst);
        if (bytes.IsEmpty)
        {
            return false;
        }

        lock (_lock)
        {
            _states.Begin(ref state);
            ParseState next = state;
            foreach (byte value in bytes)
            {
                next = _states.Step(next, value);
                if (next == ParseStates.Dead)
                {
                    return false;
                }
            }

            state = next;
            return true;
        }
    }

    internal bool CanEnd(ref ParseState state)
    {
        lock (_lock)
        {
            _states.Begin(ref state);
            return _states.CanEnd(state);
        }
    }

    internal bool IsComplete(ref ParseState state)
    {
        lock (_lock)
        {
            _states.Begin(ref state);
            return _states.IsComplete(state);
        }
    }
}
