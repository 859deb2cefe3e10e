using LoraServe.Models.Backward;

namespace LoraServe.Training.Data;

/// <summary>The endless sequence of batches: epoch after epoch, each in its own order, the last batch of each as small as what is left.</summary>
/// <typeparam name="TExample"><see cref="TrainingExample"/> or <see cref="PreferenceExample"/>.</typeparam>
internal sealed class BatchReader<TExample>
    where TExample : class
{
    private const int SortedBatches = 10;

    private readonly TrainingSet<TExample> _set;
    private readonly IReadOnlyList<int> _rows;
    private readonly BatchOptions _options;
    private readonly int[] _order;
    private readonly List<TExample[]> _group = [];
    private int _orderedEpoch = -1;
    private int _nextPosition;

    /// <summary>Starts at a place.</summary>
    /// <param name="set">The examples.</param>
    /// <param name="rows">Which rows of it, such as one side of a <see cref="DataSplit"/>.</param>
    /// <param name="options">How they are put into batches.</param>
    /// <param name="cursor">The place of the first batch that is read; the beginning by default.</param>
    /// <exception cref="ArgumentException">There are no rows, a limit is below 1, or there is no such place.</exception>
    /// <exception cref="TrainingDataException">A row is damaged, or no row has anything to learn.</exception>
    public BatchReader(TrainingSet<TExample> set, IReadOnlyList<int> rows, BatchOptions options, BatchCursor cursor = default)
    {
        ArgumentOutOfRangeException.ThrowIfZero(rows.Count);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Rows, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.MaximumTokens ?? 1, 1);
        (_set, _rows, _options) = (set, rows, options);
        _order = new int[rows.Count];
        if (cursor.Epoch < 0 || cursor.Position < 0 || cursor.Position >= rows.Count || cursor.Batch < 0)
        {
            throw new ArgumentException($"{cursor} is no place among {rows.Count} rows.", nameof(cursor));
        }

        Cursor = cursor;
        ReadGroup();
        if (cursor.Batch >= _group.Count)
        {
            throw new ArgumentException($"{cursor} is no place: there are {_group.Count} batches. Data and options must be those that it was taken with.", nameof(cursor));
        }
    }

    /// <summary>The place of the batch that is read next; <c>Epoch</c> grows as soon as the last batch of one has been read.</summary>
    public BatchCursor Cursor { get; private set; }

    /// <summary>Reads the next batch.</summary>
    /// <exception cref="TrainingDataException">A row of a later batch is damaged.</exception>
    public IReadOnlyList<TExample> Next()
    {
        TExample[] batch = _group[Cursor.Batch];
        Cursor = Cursor with { Batch = Cursor.Batch + 1 };
        if (Cursor.Batch == _group.Count)
        {
            Cursor = new BatchCursor(Cursor.Epoch, _nextPosition, 0);
            ReadGroup();
        }

        return batch;
    }

    /// <summary>How many batches some epochs have, from the beginning. Tokenises all rows unless only their number decides.</summary>
    public long CountBatches(int epochs)
    {
        if (_options.MaximumTokens is null && !_set.SkipsUnlabelled)
        {
            return (long)epochs * ((_rows.Count + _options.Rows - 1) / _options.Rows);
        }

        long count = 0;
        for (var reader = new BatchReader<TExample>(_set, _rows, _options); reader.Cursor.Epoch < epochs; count++)
        {
            reader.Next();
        }

        return count;
    }

    /// <summary>Reads the group of batches at the cursor, or the first after it that has any.</summary>
    private void ReadGroup()
    {
        int firstEpoch = Cursor.Epoch;
        _group.Clear();
        while (_group.Count == 0)
        {
            if (Cursor.Position == _rows.Count)
            {
                if (Cursor.Epoch > firstEpoch)
                {
                    throw new TrainingDataException(_set.Path, "no row has anything to learn within the maximum length. Raise the maximum length.");
                }

                Cursor = new BatchCursor(Cursor.Epoch + 1, 0, 0);
            }

            Order(Cursor.Epoch);
            Fill();
            if (_group.Count == 0)
            {
                Cursor = Cursor with { Position = _nextPosition };
            }
        }
    }

    /// <summary>Takes rows from the cursor's position on for one batch, or for ten to sort, and divides them.</summary>
    private void Fill()
    {
        int batches = _options.SortsByLength ? SortedBatches : 1;
        List<TExample> examples = [];
        long tokens = 0;
        _nextPosition = Cursor.Position;
        for (; _nextPosition < _order.Length; _nextPosition++)
        {
            if (_set.Find(_order[_nextPosition]) is not { } example)
            {
                continue;
            }

            tokens += _set.TokensOf(example);
            if (!Fits(examples.Count, tokens, batches))
            {
                break;
            }

            examples.Add(example);
        }

        if (_options.SortsByLength)
        {
            examples = [.. examples.OrderBy(_set.TokensOf)];
        }

        Divide(examples);
        if (_options is { SortsByLength: true, Shuffles: true })
        {
            CounterHash.Shuffle(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_group), _options.Seed, CounterHash.Of(0, (ulong)Cursor.Epoch, (ulong)Cursor.Position));
        }
    }

    private void Divide(List<TExample> examples)
    {
        int start = 0;
        long tokens = 0;
        for (int i = 0; i < examples.Count; i++)
        {
            int length = _set.TokensOf(examples[i]);
            if (!Fits(i - start, tokens + length, 1))
            {
                _group.Add([.. examples[start..i]]);
                (start, tokens) = (i, 0);
            }

            tokens += length;
        }

        if (start < examples.Count)
        {
            _group.Add([.. examples[start..]]);
        }
    }

    /// <summary>Whether one more row, with so many tokens together, fits into a number of batches.</summary>
    private bool Fits(int rowsBefore, long tokens, int batches) =>
        rowsBefore == 0 || (rowsBefore < (long)_options.Rows * batches && tokens <= (_options.MaximumTokens ?? long.MaxValue / SortedBatches) * batches);

    private void Order(int epoch)
    {
        if (epoch == _orderedEpoch)
        {
            return;
        }

        for (int i = 0; i < _order.Length; i++)
        {
            _order[i] = _rows[i];
        }

        if (_options.Shuffles)
        {
            CounterHash.Shuffle<int>(_order, _options.Seed, (ulong)epoch);
        }

        _orderedEpoch = epoch;
    }
}
