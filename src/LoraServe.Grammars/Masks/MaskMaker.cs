using LoraServe.Grammars.Automata;

namespace LoraServe.Grammars.Masks;

/// <summary>Finds out which tokens may come next in a state. For one thread at a time.</summary>
/// <remarks>
/// A state is taken apart by what lies below its items. What the items themselves say of each token, whatever lies below, is found out once by a
/// walk over the tree of all tokens and kept (<see cref="FrameMask"/>); so all strings of all objects share one walk. What is left are
/// tokens that go on after the rule's end, such as a quote with a comma behind it: for them alone the tree is walked again, from each place where the rule
/// may end, in the state below.
/// </remarks>
internal sealed class MaskMaker(ParseStates states, TokenVocabulary vocabulary)
{
    private readonly ParseState[] _path = new ParseState[TokenTrie.MostBytes + 1];
    private readonly List<int> _exits = [];
    private readonly List<int> _places = [];
    private int _deepest;

    /// <summary>The tokens that may come next, a bit each; the caller does not change it.</summary>
    public ulong[] Of(ParseState state)
    {
        if (state.Mask is { } known)
        {
            return known;
        }

        ulong[] mask = new ulong[vocabulary.MaskLength];
        for (int i = 0; i < state.Items.Length; i++)
        {
            if (state.Items[i].Below is { } below && IsFirstOver(state.Items, i))
            {
                AddOver(state, below, mask);
            }
        }

        states.Count(32 + (8 * mask.Length));
        return state.Mask = mask;
    }

    /// <summary>As <see cref="Of"/>, of the first token of a text.</summary>
    public ulong[] OfFirst(ParseState start)
    {
        ulong[] mask = new ulong[vocabulary.MaskLength];
        Walk(vocabulary.FirstTrie, start, TokenTrie.Root, mask, null);
        return mask;
    }

    private static bool IsFirstOver(ParseItem[] items, int index)
    {
        for (int i = 0; i < index; i++)
        {
            if (items[i].Below == items[index].Below)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Adds what the items over one state allow.</summary>
    private void AddOver(ParseState state, ParseState below, ulong[] mask)
    {
        _places.Clear();
        foreach (ParseItem item in state.Items)
        {
            if (item.Below == below)
            {
                _places.Add(item.Place);
            }
        }

        FrameMask frame = FrameOf(states.Of(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_places)));
        if (!states.IsWithin(below, frame.Deepest))
        {
            // So near to the greatest depth that it matters what lies below.
            Walk(vocabulary.Trie, state, TokenTrie.Root, mask, null);
            return;
        }

        for (int i = 0; i < mask.Length; i++)
        {
            mask[i] |= frame.Accepted[i];
        }

        foreach (int exit in frame.Exits)
        {
            Walk(vocabulary.Trie, below, exit, mask, null);
        }
    }

    private FrameMask FrameOf(ParseState state)
    {
        if (state.Frame is { } known)
        {
            return known;
        }

        ulong[] accepted = new ulong[vocabulary.MaskLength];
        _exits.Clear();
        _deepest = states.Deepest(state);
        if (state.CanEnd)
        {
            _exits.Add(TokenTrie.Root);
        }

        Walk(vocabulary.Trie, state, TokenTrie.Root, accepted, _exits);
        states.Count(64 + (8 * accepted.Length) + (4 * _exits.Count));
        return state.Frame = new FrameMask(accepted, [.. _exits], _deepest);
    }

    /// <summary>Adds the tokens that go on behind a node's bytes, which have led to a state.</summary>
    private void Walk(TokenTrie trie, ParseState state, int from, ulong[] mask, List<int>? exits)
    {
        _path[trie.Depth(from)] = state;
        int end = trie.End(from);
        for (int node = from + 1; node < end;)
        {
            int depth = trie.Depth(node);
            ParseState next = states.Step(_path[depth - 1], trie.Label(node));
            if (next == ParseStates.Dead)
            {
                node = trie.End(node);
                continue;
            }

            _path[depth] = next;
            Allow(trie.Tokens(node), mask);
            if (exits is not null)
            {
                _deepest = Math.Max(_deepest, states.Deepest(next));
                if (next.CanEnd)
                {
                    exits.Add(node);
                }
            }

            node++;
        }
    }

    private static void Allow(ReadOnlySpan<int> tokens, ulong[] mask)
    {
        foreach (int token in tokens)
        {
            mask[token >> 6] |= 1UL << (token & 63);
        }
    }
}
