namespace LoraServe.Tokenization.Models;

/// <summary>The symbols of one word while they merge. Not for several threads at once.</summary>
internal sealed class SymbolRow
{
    private const int LongestScannedRow = 48;

    private int[] _ids = new int[64];
    private int[] _lengths = new int[64];
    private int[] _next = [];
    private int[] _previous = [];
    private readonly int[] _ranks = new int[64];
    private ulong[] _heap = [];
    private int _heapCount;

    /// <summary>How many symbols there are.</summary>
    public int Count { get; private set; }

    public ReadOnlySpan<int> Ids => _ids.AsSpan(0, Count);

    /// <summary>How many bytes of the word each symbol stands for.</summary>
    public ReadOnlySpan<int> Lengths => _lengths.AsSpan(0, Count);

    public void Clear() => Count = 0;

    /// <summary>Makes room for a number of symbols at once, so that a long word costs no more memory than it takes.</summary>
    public void Reserve(int count)
    {
        if (count > _ids.Length)
        {
            Array.Resize(ref _ids, count);
            Array.Resize(ref _lengths, count);
        }
    }

    public void Add(int id, int length)
    {
        if (Count == _ids.Length)
        {
            Reserve(2 * Count);
        }

        _ids[Count] = id;
        _lengths[Count++] = length;
    }

    /// <summary>Merges pairs, lowest rank first and leftmost first among equals, until none is left that merges.</summary>
    public void MergeAll(MergeTable merges)
    {
        if (Count <= LongestScannedRow)
        {
            MergeByScan(merges);
        }
        else
        {
            MergeByHeap(merges);
        }
    }

    /// <summary>Looks at all pairs for each merge: the fastest way for the words of ordinary text.</summary>
    private void MergeByScan(MergeTable merges)
    {
        Span<int> ids = _ids;
        Span<int> lengths = _lengths;
        Span<int> ranks = _ranks;
        int count = Count;
        for (int i = 0; i + 1 < count; i++)
        {
            ranks[i] = merges.Rank(ids[i], ids[i + 1]);
        }

        while (count > 1)
        {
            int best = -1;
            int bestRank = MergeTable.NoRank;
            for (int i = 0; i + 1 < count; i++)
            {
                if (ranks[i] < bestRank)
                {
                    bestRank = ranks[i];
                    best = i;
                }
            }

            if (best < 0)
            {
                break;
            }

            ids[best] = merges.Id(ids[best], ids[best + 1]);
            lengths[best] += lengths[best + 1];
            count--;
            ids[(best + 2)..(count + 1)].CopyTo(ids[(best + 1)..]);
            lengths[(best + 2)..(count + 1)].CopyTo(lengths[(best + 1)..]);
            if (best + 1 < count)
            {
                ranks[(best + 2)..count].CopyTo(ranks[(best + 1)..]);
                ranks[best] = merges.Rank(ids[best], ids[best + 1]);
            }

            if (best > 0)
            {
                ranks[best - 1] = merges.Rank(ids[best - 1], ids[best]);
            }
        }

        Count = count;
    }

    /// <summary>Keeps the pairs in a heap: n log n for words of any length.</summary>
    private void MergeByHeap(MergeTable merges)
    {
        PrepareLinks();
        for (int i = 0; i + 1 < Count; i++)
        {
            Offer(merges, i);
        }

        while (_heapCount > 0)
        {
            ulong top = PopHeap();
            int left = (int)(uint)top;
            int right = left < Count && _lengths[left] > 0 ? _next[left] : -1;
            // A pair that changed since it was offered was offered again as what it is now.
            if (right < 0 || merges.Rank(_ids[left], _ids[right]) != (int)(top >> 32))
            {
                continue;
            }

            _ids[left] = merges.Id(_ids[left], _ids[right]);
            _lengths[left] += _lengths[right];
            _lengths[right] = 0;
            _next[left] = _next[right];
            if (_next[left] >= 0)
            {
                _previous[_next[left]] = left;
                Offer(merges, left);
            }

            if (_previous[left] >= 0)
            {
                Offer(merges, _previous[left]);
            }
        }

        int kept = 0;
        for (int i = 0; i >= 0; i = _next[i])
        {
            _ids[kept] = _ids[i];
            _lengths[kept++] = _lengths[i];
        }

        Count = kept;
    }

    private void PrepareLinks()
    {
        if (_next.Length < Count)
        {
            _next = new int[Count];
            _previous = new int[Count];
        }

        if (_heap.Length < Count)
        {
            _heap = new ulong[Count];
        }

        for (int i = 0; i < Count; i++)
        {
            _next[i] = i + 1;
            _previous[i] = i - 1;
        }

        _next[Count - 1] = -1;
        _heapCount = 0;
    }

    private void Offer(MergeTable merges, int left)
    {
        int rank = merges.Rank(_ids[left], _ids[_next[left]]);
        if (rank == MergeTable.NoRank)
        {
            return;
        }

        if (_heapCount == _heap.Length)
        {
            Array.Resize(ref _heap, _heapCount + (_heapCount / 2));
        }

        ulong entry = ((ulong)(uint)rank << 32) | (uint)left;
        int at = _heapCount++;
        for (; at > 0 && _heap[(at - 1) / 2] > entry; at = (at - 1) / 2)
        {
            _heap[at] = _heap[(at - 1) / 2];
        }

        _heap[at] = entry;
    }

    private ulong PopHeap()
    {
        ulong top = _heap[0];
        ulong last = _heap[--_heapCount];
        int at = 0;
        while (2 * at + 1 < _heapCount)
        {
            int child = 2 * at + 1;
            child += child + 1 < _heapCount && _heap[child + 1] < _heap[child] ? 1 : 0;
            if (_heap[child] >= last)
            {
                break;
            }

            _heap[at] = _heap[child];
            at = child;
        }

        _heap[at] = last;
        return top;
    }
}
