namespace LoraServe.Serving.Cache;

/// <summary>Finds full pages by what they were computed from: all tokens up to their end, the adapters that acted on them, and for whom.</summary>
/// <remarks>
/// A page is a node of a tree. Its key is its parent node, its salt (whose, and which adapters, see <see cref="PrefixSalt"/>) and
/// its own tokens; node numbers are never used again, so that equal keys mean, by induction, equal prefixes. Tokens are
/// compared, not only hashed: two users never share a page by accident.
/// </remarks>
internal sealed class PrefixCache
{
    /// <summary>Parent of first pages.</summary>
    public const long Root = 0;

    private const int None = -1;

    private readonly int _pageTokens;
    private readonly bool _enabled;
    private readonly Node[] _nodes;
    private readonly int[] _tokens;
    private readonly int[] _buckets;
    private long _lastId;

    public PrefixCache(int pageCount, int pageTokens, bool enabled = true)
    {
        _pageTokens = pageTokens;
        _enabled = enabled;
        _nodes = new Node[pageCount];
        _tokens = new int[pageCount * pageTokens];
        _buckets = new int[(int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)pageCount)];
        Array.Fill(_buckets, None);
    }

    /// <summary>Whether the page is a node.</summary>
    public bool Knows(int page) => _nodes[page].Id != 0;

    /// <summary>Finds the page that holds <paramref name="tokens"/> after <paramref name="parent"/>.</summary>
    public bool TryFind(long parent, UInt128 salt, ReadOnlySpan<int> tokens, out int page, out long id)
    {
        uint hash = Hash(parent, salt, tokens);
        for (page = _buckets[hash & (uint)(_buckets.Length - 1)]; page != None; page = _nodes[page].Next)
        {
            ref Node node = ref _nodes[page];
            if (node.Hash == hash && node.Parent == parent && node.Salt == salt && Tokens(page).SequenceEqual(tokens))
            {
                id = node.Id;
                return true;
            }
        }

        id = 0;
        return false;
    }

    /// <summary>Makes a full page findable and returns its node; if another page holds the same already, that one's node.</summary>
    public long Add(int page, long parent, UInt128 salt, ReadOnlySpan<int> tokens)
    {
        if (!_enabled)
        {
            return Root;
        }

        if (TryFind(parent, salt, tokens, out _, out long known))
        {
            return known;
        }

        uint hash = Hash(parent, salt, tokens);
        ref int bucket = ref _buckets[hash & (uint)(_buckets.Length - 1)];
        _nodes[page] = new Node { Id = ++_lastId, Parent = parent, Salt = salt, Hash = hash, Next = bucket };
        bucket = page;
        tokens.CopyTo(Tokens(page));
        return _lastId;
    }

    /// <summary>Forgets a page whose content is about to change. What follows it can no longer be found.</summary>
    public void Forget(int page)
    {
        ref int link = ref _buckets[_nodes[page].Hash & (uint)(_buckets.Length - 1)];
        while (link != page)
        {
            link = ref _nodes[link].Next;
        }

        link = _nodes[page].Next;
        _nodes[page] = default;
    }

    /// <summary>Throws unless every node can be found from its bucket, once.</summary>
    public void CheckIntegrity()
    {
        int found = 0;
        for (int bucket = 0; bucket < _buckets.Length; bucket++)
        {
            for (int page = _buckets[bucket]; page != None; page = _nodes[page].Next)
            {
                if (_nodes[page].Id == 0 || (_nodes[page].Hash & (uint)(_buckets.Length - 1)) != bucket || ++found > _nodes.Length)
                {
                    throw new InvalidOperationException($"Page {page} is in bucket {bucket} by mistake.");
                }
            }
        }

        int known = _nodes.Count(node => node.Id != 0);
        if (known != found)
        {
            throw new InvalidOperationException($"{known} pages are nodes, but {found} can be found.");
        }
    }

    // Randomly seeded per process, so that nobody can prepare prompts that collide.
    private static uint Hash(long parent, UInt128 salt, ReadOnlySpan<int> tokens)
    {
        var hash = default(HashCode);
        hash.Add(parent);
        hash.Add((ulong)salt);
        hash.AddBytes(System.Runtime.InteropServices.MemoryMarshal.AsBytes(tokens));
        return (uint)hash.ToHashCode();
    }

    private Span<int> Tokens(int page) => _tokens.AsSpan(page * _pageTokens, _pageTokens);

    private struct Node
    {
        public long Id;
        public long Parent;
        public UInt128 Salt;
        public uint Hash;
        public int Next;
    }
}
