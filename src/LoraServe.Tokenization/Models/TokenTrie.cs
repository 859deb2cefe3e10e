using System.Numerics;
using System.Runtime.CompilerServices;

namespace LoraServe.Tokenization.Models;

/// <summary>Finds all tokens that a text begins with: a tree by characters.</summary>
internal sealed class TokenTrie
{
    /// <summary>The node of the empty text.</summary>
    public const int Root = 0;

    /// <summary>Stands for no node.</summary>
    public const int None = -1;

    /// <summary>A longer token would make each character of a text cost as many steps, so readers refuse it.</summary>
    public const int LongestToken = 1024;

    private NumberTable<int> _children;
    private int[] _ids = [Vocabulary.None];
    private int _count = 1;

    /// <summary>Makes room for a number of tokens; the tree grows when there are more.</summary>
    public TokenTrie(int tokens) => _children = new(Math.Clamp(35 - BitOperations.LeadingZeroCount((uint)tokens), 6, 24));

    /// <summary>Adds a token; of equal ones the later counts. The empty one is never found.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Add(string token, int id)
    {
        int node = Root;
        foreach (char c in token)
        {
            ulong key = KeyOf(node, c);
            ref NumberTable<int>.Entry edge = ref _children.Find(key);
            if (edge.Key == 0)
            {
                edge = new(key, _count);
                node = AddNode();
            }
            else
            {
                node = edge.Value;
            }
        }

        _ids[node] = node == Root ? Vocabulary.None : id;
    }

    /// <summary>The node of a text that is a character longer, or <see cref="None"/> where no token begins so.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Next(int node, char c)
    {
        ref NumberTable<int>.Entry edge = ref _children.Find(KeyOf(node, c));
        return edge.Key == 0 ? None : edge.Value;
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

    private int AddNode()
    {
        if (_count == _ids.Length)
        {
            Array.Resize(ref _ids, 2 * _count);
        }

        _ids[_count] = Vocabulary.None;
        _children.Reserve(_count);
        return _count++;
    }
}
