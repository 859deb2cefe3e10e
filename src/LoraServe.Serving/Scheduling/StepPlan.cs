using System.Runtime.InteropServices;
using LoraServe.Models.Forward;

namespace LoraServe.Serving.Scheduling;

/// <summary>What one step does, as plain data. Reused from step to step.</summary>
internal sealed class StepPlan
{
    private readonly List<StepEntry> _entries = [];
    private readonly List<(int From, int To)> _copies = [];

    /// <summary>Which sequences take part, equal adapters beside each other.</summary>
    public Span<StepEntry> Entries => CollectionsMarshal.AsSpan(_entries);

    /// <summary>Pages to copy before the step, in order, because their new owners write to them.</summary>
    public ReadOnlySpan<(int From, int To)> Copies => CollectionsMarshal.AsSpan(_copies);

    /// <summary>The same entries as the model takes them.</summary>
    public TokenBatch Batch { get; } = new();

    public bool IsEmpty => _entries.Count == 0;

    public void Clear()
    {
        _entries.Clear();
        _copies.Clear();
        Batch.Clear();
    }

    public void Add(Sequence sequence, Chunk chunk) => _entries.Add(new StepEntry(sequence, chunk, -1));

    public void AddCopy(int from, int to) => _copies.Add((from, to));

    /// <summary>Takes a sequence out again; gives back what it would have taken.</summary>
    public Chunk Remove(Sequence sequence)
    {
        for (int i = 0; i < _entries.Count; i++)
        {
            if (_entries[i].Sequence == sequence)
            {
                Chunk chunk = _entries[i].Chunk;
                _entries.RemoveAt(i);
                return chunk;
            }
        }

        return default;
    }

    /// <summary>Sorts by adapter and lays out the batch.</summary>
    public void Build()
    {
        // A base matrix does not care for order, but rows of one adapter side by side read its factors once.
        Entries.Sort(static (a, b) =>
        {
            int byAdapter = a.Sequence.Owner.StackSalt.CompareTo(b.Sequence.Owner.StackSalt);
            return byAdapter != 0 ? byAdapter : a.Sequence.Order.CompareTo(b.Sequence.Order);
        });
        BuildBatch(Entries);
    }

    /// <summary>Lays out a batch of some entries only.</summary>
    public void BuildBatch(Span<StepEntry> entries)
    {
        Batch.Clear();
        foreach (ref StepEntry entry in entries)
        {
            Sequence sequence = entry.Sequence;
            int segment = Batch.Add(new SegmentRequest
            {
                Tokens = sequence.Tokens.Slice(sequence.CachedTokens, entry.Chunk.Rows),
                FirstPosition = sequence.CachedTokens,
                Pages = CollectionsMarshal.AsSpan(sequence.Passes[0].Pages),
                ScoutPages = sequence.Passes.Length > 1 ? CollectionsMarshal.AsSpan(sequence.Passes[1].Pages) : [],
                PromptLength = sequence.TurnedLength,
                Adapters = sequence.Owner.State.Uses,
                Output = entry.Chunk.Output,
            });
            entry = entry with { Segment = segment };
        }
    }
}
