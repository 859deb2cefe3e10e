using System.Numerics;
using System.Runtime.CompilerServices;

namespace LoraServe.Tokenization.Models;

/// <summary>Finds all tokens that a text begins with: a tree by characters, whose edges are a hash table with open addressing.</summary>
internal sealed class TokenTrie
{
    /// <summary>The node of the empty text.</summary>
    public const int Root = 0;

    /// <summary>Stands for no node.</summary>
    public const int None = -1;

    /// <summary>A longer token would make each character of a text cost as many steps, so readers refuse it.</summary>
    public const int LongestToken = 1024;

    private Edge[] _edges = [];
    private int[] _ids = [Vocabulary.None];
    private int _count = 1;
    private int _shift;

    /// <summary>Makes room for a number of tokens; the tree grows when there are more.</summary>
    public TokenTrie(int tokens) => Allocate(Math.Clamp(35 - BitOperations.LeadingZeroCount((uint)tokens), 6, 24));

    /// <summary>Adds a token; of equal ones the later counts. The empty one is never found.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Add(string token, int id)
    {
        int node = Root;
        foreach (char c in token)
        {
            ulong key = KeyOf(node, c);
            ref Edge edge = ref Find(key);
            if (edge.Key == 0)
            {
                edge = new Edge(key, _count);
                node = AddNode();
            }
            else
            {
                node = edge.Child;
            }
        }

        _ids[node] = node == Root ? Vocabulary.None : id;
    }

    /// <summary>The node of a text that is a character longer, or <see cref="None"/> where no token begins so.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Next(int node, char c)
    {
        Edge edge = Find(KeyOf(node, c));
        return edge.Key == 0 ? None : edge.Child;
    }

    /// <summary>The node of a text, or <see cref="None"/>.</summary>
    public int Walk(ReadOnlySpan<char> text)
    {
        int node = Root;
        for (int i = 0; i < text.Length && node != None; i++)
        {
            node = Next(node, text[i]);
        }

        return node;
    }

    /// <summary>The token whose text a node is, or <see cref="Vocabulary.None"/>.</summary>
    public int IdAt(int node) => _ids[node];

    /// <summary>The edge as one number, which is never 0.</summary>
    private static ulong KeyOf(int node, char c) => ~(((ulong)(uint)node << 16) | c);

    /// <summary>The place of an edge, or the free one where it belongs.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ref Edge Find(ulong key)
    {
        Edge[] edges = _edges;
        int slot = (int)((key * HashMultiplier.Value) >> _shift);
        while (edges[slot].Key != key && edges[slot].Key != 0)
        {
            slot = (slot + 1) & (edges.Length - 1);
        }

        return ref edges[slot];
    }

    private int AddNode()
    {
        if (_count == _ids.Length)
        {
            Array.Resize(ref _ids, 2 * _count);
        }

        _ids[_count] = Vocabulary.None;
        if (2 * _count >= _edges.Length)
        {
            Grow();
        }

        return _count++;
    }

    private void Grow()
    {
        Edge[] old = _edges;
        Allocate(BitOperations.TrailingZeroCount(old.Length) + 1);
        foreach (Edge edge in old)
        {
            if (edge.Key != 0)
            {
                Find(edge.Key) = edge;
            }
        }
    }

    private void Allocate(int bits)
    {
        _shift = 64 - bits;
        _edges = new Edge[1 << bits];
    }

    private readonly struct Edge(ulong key, int child)
    {
        public readonly ulong Key = key;
        public readonly int Child = child;
    }
}
