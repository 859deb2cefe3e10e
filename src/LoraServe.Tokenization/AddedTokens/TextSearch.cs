using System.Buffers;
using System.Text;

namespace LoraServe.Tokenization.AddedTokens;

/// <summary>Finds any of many texts, the leftmost first and the longest of those that start there (Aho and Corasick's automaton).</summary>
internal sealed class TextSearch
{
    private readonly Dictionary<long, int> _children = [];
    private readonly List<int> _parents = [-1];
    private readonly List<char> _characters = ['\0'];
    private readonly List<int> _depths = [0];
    private readonly List<int> _found = [-1];
    private readonly List<int> _lengths = [];
    private readonly int[] _fallbacks;
    private readonly SearchValues<char> _first;

    /// <summary>Builds the automaton; of equal texts the first counts, and an empty one is never found.</summary>
    public TextSearch(IReadOnlyList<string> texts)
    {
        StringBuilder first = new();
        for (int i = 0; i < texts.Count; i++)
        {
            _lengths.Add(texts[i].Length);
            first.Append(texts[i].AsSpan(0, Math.Min(1, texts[i].Length)));
            Add(texts[i], i);
        }

        _first = SearchValues.Create(first.ToString());
        _fallbacks = new int[_parents.Count];
        foreach (int node in NodesByDepth())
        {
            _fallbacks[node] = _parents[node] == 0 ? 0 : Follow(_fallbacks[_parents[node]], _characters[node]);
            _found[node] = _found[node] >= 0 ? _found[node] : _found[_fallbacks[node]];
        }
    }

    /// <summary>The next match at or after a place; <paramref name="index"/> says which text it is.</summary>
    public bool TryFind(ReadOnlySpan<char> text, int from, out int index, out int start, out int end)
    {
        index = start = end = -1;
        int node = 0;
        for (int i = from; i < text.Length; i++)
        {
            if (node == 0)
            {
                if (index >= 0)
                {
                    break;
                }

                int skip = text[i..].IndexOfAny(_first);
                if (skip < 0)
                {
                    break;
                }

                i += skip;
            }

            node = Follow(node, text[i]);
            int earliest = i + 1 - _depths[node];
            if (index >= 0 && earliest > start)
            {
                break;
            }

            int found = _found[node];
            int foundStart = found < 0 ? -1 : i + 1 - _lengths[found];
            if (found >= 0 && (index < 0 || foundStart <= start))
            {
                (index, start, end) = (found, foundStart, i + 1);
            }
        }

        return index >= 0;
    }

    /// <summary>All nodes but the root, so that those that a fallback can lead to come first.</summary>
    private ReadOnlySpan<int> NodesByDepth()
    {
        int[] nodes = new int[_parents.Count];
        for (int node = 0; node < nodes.Length; node++)
        {
            nodes[node] = node;
        }

        Array.Sort(_depths.ToArray(), nodes);
        return nodes.AsSpan(1);
    }

    private void Add(string text, int index)
    {
        int node = 0;
        foreach (char c in text)
        {
            if (!_children.TryGetValue(Key(node, c), out int child))
            {
                child = _parents.Count;
                _children.Add(Key(node, c), child);
                _parents.Add(node);
                _characters.Add(c);
                _depths.Add(_depths[node] + 1);
                _found.Add(-1);
            }

            node = child;
        }

        if (node != 0 && _found[node] < 0)
        {
            _found[node] = index;
        }
    }

    private int Follow(int node, char c)
    {
        int child;
        while (!_children.TryGetValue(Key(node, c), out child))
        {
            if (node == 0)
            {
                return 0;
            }

            node = _fallbacks[node];
        }

        return child;
    }

    private static long Key(int node, char c) => ((long)node << 16) | c;
}
