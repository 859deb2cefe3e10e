namespace LoraServe.Grammars.Masks;

/// <summary>The bytes of all tokens as a tree, in the order in which it is walked: a node, then what begins with its bytes.</summary>
internal sealed class TokenTrie
{
    /// <summary>The longest token that takes part; a longer one is never allowed.</summary>
    public const int MostBytes = 256;

    private readonly byte[] _labels;
    private readonly ushort[] _depths;
    private readonly int[] _ends;
    private readonly int[] _firstTokens;
    private readonly int[] _tokens;

    /// <param name="tokens">The bytes of each token; null or empty for those that are never text.</param>
    public TokenTrie(IReadOnlyList<byte[]?> tokens)
    {
        int[] order = [.. Enumerable.Range(0, tokens.Count).Where(token => tokens[token] is { Length: > 0 and <= MostBytes })];
        Array.Sort(order, (one, other) => tokens[one].AsSpan().SequenceCompareTo(tokens[other]) is not 0 and int difference ? difference : one.CompareTo(other));
        List<byte> labels = [0];
        List<ushort> depths = [0];
        List<int> ends = [0];
        List<int> firstTokens = [0];
        List<int> path = [0];
        byte[] last = [];
        for (int i = 0; i < order.Length; i++)
        {
            byte[] bytes = tokens[order[i]]!;
            int shared = bytes.AsSpan().CommonPrefixLength(last);
            for (int depth = path.Count - 1; depth > shared; depth--)
            {
                ends[path[depth]] = labels.Count;
                path.RemoveAt(depth);
            }

            for (int depth = shared; depth < bytes.Length; depth++)
            {
                path.Add(labels.Count);
                labels.Add(bytes[depth]);
                depths.Add((ushort)(depth + 1));
                ends.Add(0);
                firstTokens.Add(i);
            }

            last = bytes;
        }

        foreach (int node in path)
        {
            ends[node] = labels.Count;
        }

        firstTokens.Add(order.Length);
        (_labels, _depths, _ends, _firstTokens, _tokens) = ([.. labels], [.. depths], [.. ends], [.. firstTokens], order);
    }

    /// <summary>The node of the empty text.</summary>
    public const int Root = 0;

    /// <summary>Nodes there are.</summary>
    public int Count => _labels.Length;

    /// <summary>The byte that leads to a node.</summary>
    public byte Label(int node) => _labels[node];

    /// <summary>How many bytes lead to a node.</summary>
    public int Depth(int node) => _depths[node];

    /// <summary>The node after all that begin with a node's bytes.</summary>
    public int End(int node) => _ends[node];

    /// <summary>The tokens that are just a node's bytes.</summary>
    public ReadOnlySpan<int> Tokens(int node) => _tokens.AsSpan(_firstTokens[node].._firstTokens[node + 1]);
}
