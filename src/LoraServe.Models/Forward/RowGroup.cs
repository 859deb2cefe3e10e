using System.Runtime.InteropServices;

namespace LoraServe.Models.Forward;

/// <summary>Rows that go through the same operations, and the adapters that act on them.</summary>
public sealed class RowGroup
{
    private readonly List<int> _sources = [];
    private readonly List<EditRun> _runs = [];
    private RowScalings? _scalings;

    /// <summary>A group without rows.</summary>
    public RowGroup()
    {
    }

    internal RowGroup(RowScalings scalings) => _scalings = scalings;

    /// <summary>Number of rows.</summary>
    public int Count => _sources.Count;

    /// <summary>Which row of the batch each row of the group is.</summary>
    public ReadOnlySpan<int> Sources => CollectionsMarshal.AsSpan(_sources);

    /// <summary>The runs; rows are numbered within the group.</summary>
    public ReadOnlySpan<EditRun> Runs => CollectionsMarshal.AsSpan(_runs);

    /// <summary>What the pairs of a row of the group are scaled by, see <see cref="TokenBatch.Scalings"/>.</summary>
    public ReadOnlySpan<float> ScalingsOf(int row) => _scalings is null ? [] : _scalings.Of(_sources[row]);

    internal void Clear()
    {
        _sources.Clear();
        _runs.Clear();
    }

    /// <summary>Becomes the rows of another group from <paramref name="first"/> on, <paramref name="count"/> of them, with the runs cut to them.</summary>
    public void CopyRange(RowGroup from, int first, int count)
    {
        Clear();
        _scalings = from._scalings;
        _sources.AddRange(from.Sources.Slice(first, count));
        foreach (EditRun run in from.Runs)
        {
            int start = Math.Max(run.FirstRow, first);
            int end = Math.Min(run.EndRow, first + count);
            if (start < end)
            {
                _runs.Add(run with { FirstRow = start - first, RowCount = end - start });
            }
        }
    }

    /// <summary>Becomes some rows of another group, with the runs cut to them.</summary>
    /// <param name="from">The other group.</param>
    /// <param name="rows">Its rows, ascending.</param>
    public void CopyRows(RowGroup from, ReadOnlySpan<int> rows)
    {
        Clear();
        _scalings = from._scalings;
        foreach (int row in rows)
        {
            _sources.Add(from.Sources[row]);
        }

        foreach (EditRun run in from.Runs)
        {
            int start = FirstFrom(rows, run.FirstRow);
            int end = FirstFrom(rows, run.EndRow);
            if (start < end)
            {
                _runs.Add(run with { FirstRow = start, RowCount = end - start });
            }
        }
    }

    private static int FirstFrom(ReadOnlySpan<int> rows, int least)
    {
        int place = rows.BinarySearch(least);
        return place < 0 ? ~place : place;
    }

    /// <summary>Appends rows of adjacent positions and lets their adapters' runs go on where the rows before have the same.</summary>
    internal void Append(int firstSource, int count, int firstPosition, ReadOnlySpan<AdapterUse> adapters)
    {
        int firstRow = _sources.Count;
        for (int i = 0; i < count; i++)
        {
            _sources.Add(firstSource + i);
        }

        // A run may only be lengthened while all runs below it in the stack were: a new run comes after all others in the list.
        bool mayLengthen = true;
        for (int depth = 0; depth < adapters.Length; depth++)
        {
            AdapterUse use = adapters[depth];
            int skipped = Math.Clamp(use.ActiveFrom - firstPosition, 0, count);
            if (skipped == count)
            {
                continue;
            }

            var run = new EditRun(firstRow + skipped, count - skipped, use.Adapter, use.Weight, depth);
            mayLengthen = mayLengthen && TryLengthen(run);
            if (!mayLengthen)
            {
                _runs.Add(run);
            }
        }
    }

    private bool TryLengthen(EditRun next)
    {
        for (int i = _runs.Count - 1; i >= 0; i--)
        {
            EditRun run = _runs[i];
            if (run.EndRow == next.FirstRow && run.Depth == next.Depth && ReferenceEquals(run.Adapter, next.Adapter)
                && run.Weight.Equals(next.Weight))
            {
                _runs[i] = run with { RowCount = run.RowCount + next.RowCount };
                return true;
            }

            if (run.EndRow < next.FirstRow)
            {
                return false;
            }
        }

        return false;
    }
}
