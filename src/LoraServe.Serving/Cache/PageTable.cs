namespace LoraServe.Serving.Cache;

/// <summary>Who holds which page of the key/value cache. A page is free, held by sequences, or kept for its prefix only.</summary>
/// <remarks>
/// 1. <see cref="TryAllocate"/> takes a free page, else the least recently used kept one, whose prefix is then forgotten.
/// 2. <see cref="Share"/> adds a holder. 3. <see cref="Release"/> takes one away; after the last the page is kept if the
/// prefix cache knows its content, else free. Pages are never written while shared: the writer copies first.
/// </remarks>
internal sealed class PageTable
{
    private const int None = -1;

    private readonly PrefixCache _prefixes;
    private readonly int[] _holders;
    private readonly int[] _previous;
    private readonly int[] _next;
    private readonly int[] _free;
    private int _freeCount;
    private int _keptCount;
    private int _oldest = None;
    private int _newest = None;

    public PageTable(int pageCount, PrefixCache prefixes)
    {
        _prefixes = prefixes;
        _holders = new int[pageCount];
        _previous = new int[pageCount];
        _next = new int[pageCount];
        _free = new int[pageCount];
        for (int page = pageCount - 1; page >= 0; page--)
        {
            _free[_freeCount++] = page;
        }
    }

    /// <summary>All pages.</summary>
    public int Count => _holders.Length;

    /// <summary>Pages that can be allocated: free ones and those kept for their prefix.</summary>
    public int AvailableCount => _freeCount + _keptCount;

    /// <summary>Pages that no sequence holds, kept for their prefix.</summary>
    public int KeptCount => _keptCount;

    /// <summary>Pages that sequences hold.</summary>
    public int UsedCount => Count - AvailableCount;

    /// <summary>Takes a page for one holder; false when sequences hold them all.</summary>
    public bool TryAllocate(out int page)
    {
        if (_freeCount > 0)
        {
            page = _free[--_freeCount];
        }
        else if (_oldest != None)
        {
            page = _oldest;
            Unlink(page);
            _prefixes.Forget(page);
        }
        else
        {
            page = None;
            return false;
        }

        _holders[page] = 1;
        return true;
    }

    /// <summary>Adds a holder to a page that is held or kept.</summary>
    public void Share(int page)
    {
        if (_holders[page]++ == 0)
        {
            Unlink(page);
        }
    }

    /// <summary>Takes away a holder.</summary>
    public void Release(int page)
    {
        if (--_holders[page] > 0)
        {
            return;
        }

        if (_prefixes.Knows(page))
        {
            Append(page);
        }
        else
        {
            _free[_freeCount++] = page;
        }
    }

    /// <summary>Whether more than one sequence holds the page, so that none may write to it.</summary>
    public bool IsShared(int page) => _holders[page] > 1;

    /// <summary>Whether no sequence holds the page.</summary>
    public bool IsKept(int page) => _holders[page] == 0;

    /// <summary>Throws unless every page is in exactly one state and holders add up; a test calls it after every event.</summary>
    /// <param name="heldPages">The pages of all sequences, a page as often as it is held.</param>
    public void CheckIntegrity(IEnumerable<int> heldPages)
    {
        int[] states = new int[Count];
        foreach (int page in heldPages)
        {
            states[page]++;
        }

        for (int page = 0; page < Count; page++)
        {
            Check(states[page] == _holders[page], page, $"has {_holders[page]} holders, but {states[page]} sequences hold it");
        }

        for (int i = 0; i < _freeCount; i++)
        {
            Check(states[_free[i]]++ == 0, _free[i], "is free and something else");
            Check(!_prefixes.Knows(_free[i]), _free[i], "is free and known by its prefix");
        }

        int kept = 0;
        for (int page = _oldest; page != None; page = _next[page])
        {
            Check(states[page]++ == 0, page, "is kept and something else");
            Check(_prefixes.Knows(page), page, "is kept without a prefix");
            kept++;
        }

        Check(kept == _keptCount, kept, $"is the number of kept pages, but {_keptCount} are counted");
        for (int page = 0; page < Count; page++)
        {
            Check(states[page] > 0, page, "is lost");
        }

        _prefixes.CheckIntegrity();
    }

    private static void Check(bool condition, int page, string problem)
    {
        if (!condition)
        {
            throw new InvalidOperationException($"Page {page} {problem}.");
        }
    }

    private void Append(int page)
    {
        _previous[page] = _newest;
        _next[page] = None;
        if (_newest == None)
        {
            _oldest = page;
        }
        else
        {
            _next[_newest] = page;
        }

        _newest = page;
        _keptCount++;
    }

    private void Unlink(int page)
    {
        if (_previous[page] == None)
        {
            _oldest = _next[page];
        }
        else
        {
            _next[_previous[page]] = _next[page];
        }

        if (_next[page] == None)
        {
            _newest = _previous[page];
        }
        else
        {
            _previous[_next[page]] = _previous[page];
        }

        _keptCount--;
    }
}
