using System.Runtime.InteropServices;
using LoraServe.Models.Forward;
using LoraServe.Torch.Resident;

namespace LoraServe.Torch.Forward;

/// <summary>Where everything of a step lies, as numbers on the host: written into one list and copied to the device at once.</summary>
/// <remarks>Knows nothing of tensors but that slices of its numbers become some.</remarks>
/// <param name="choice">How adapters' pairs are multiplied.</param>
internal sealed class StepLayout(ProductChoice choice)
{
    // A padded place costs as much as a real one, another group some launches: sizes are rounded up by at most a quarter.
    private const int Steps = 4;
    private const int LeastLength = KvPage.Tokens;

    private readonly List<long> _numbers = [];
    private readonly List<Group> _groups = [];
    private readonly List<VirtualUse> _virtual = [];
    private readonly Dictionary<(int Rows, int Length), List<int>> _bySize = [];
    private readonly Dictionary<RowGroup, SlotLayout> _slots = new(ReferenceEqualityComparer.Instance);

    /// <summary>All numbers.</summary>
    public ReadOnlySpan<long> Numbers => CollectionsMarshal.AsSpan(_numbers);

    /// <summary>Tokens, 0 in virtual rows: [T].</summary>
    public Slice Tokens { get; private set; }

    /// <summary>For each row the slot that its key and value go to: [T].</summary>
    public Slice Slots { get; private set; }

    /// <summary>The rows whose logits are wanted.</summary>
    public Slice Logits { get; private set; }

    /// <summary>The rows whose hidden states are wanted.</summary>
    public Slice Hidden { get; private set; }

    /// <summary>For each row its place among those of all groups, one after another; none where they are the rows in order.</summary>
    public Slice Places { get; private set; }

    /// <summary>0, 1, … up to the greatest length of a group.</summary>
    public Slice Ascending { get; private set; }

    /// <summary>The segments by size.</summary>
    public IReadOnlyList<Group> Groups => _groups;

    /// <summary>The virtual rows by adapter.</summary>
    public IReadOnlyList<VirtualUse> Virtual => _virtual;

    /// <summary>The rows of one of the batch's groups whose adapters' pairs are multiplied together.</summary>
    public SlotLayout SlotsOf(RowGroup rows) => _slots.GetValueOrDefault(rows, SlotLayout.None);

    /// <summary>Lays out a batch.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="usesPages">Whether keys and values are in pages, or are those of the batch's own rows, which then hold whole sequences.</param>
    public void Build(TokenBatch batch, bool usesPages)
    {
        _numbers.Clear();
        _groups.Clear();
        _virtual.Clear();
        Tokens = Begin();
        foreach (int token in batch.Tokens)
        {
            _numbers.Add(Math.Max(token, 0));
        }

        Tokens = End(Tokens);
        Slots = Begin();
        foreach (ref readonly Segment segment in batch.Segments)
        {
            for (int row = 0; row < segment.RowCount; row++)
            {
                _numbers.Add(Slot(batch, segment, segment.FirstPosition + row, usesPages));
            }
        }

        Slots = End(Slots);
        Logits = Sources(batch.Logits);
        Hidden = Sources(batch.Hidden);
        BuildGroups(batch, usesPages);
        BuildVirtual(batch);
        _slots.Clear();
        foreach (RowGroup rows in (ReadOnlySpan<RowGroup>)[batch.All, batch.Logits, batch.Hidden])
        {
            BuildSlots(rows);
        }

        Ascending = Begin();
        int longest = _groups.Count > 0 ? _groups.Max(group => group.Length) : 0;
        for (int i = 0; i < longest; i++)
        {
            _numbers.Add(i);
        }

        Ascending = End(Ascending);
    }

    private static long Slot(TokenBatch batch, in Segment segment, int position, bool usesPages) => usesPages
        ? ((long)batch.Pages[segment.FirstPage + (position / KvPage.Tokens)] * KvPage.Tokens) + (position % KvPage.Tokens)
        : segment.FirstRow + position - segment.FirstPosition;

    /// <summary>The next size of a geometric series with <see cref="Steps"/> steps from one power of two to the next.</summary>
    private static int RoundUp(int count)
    {
        int step = Math.Max(1, (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)count) / 2 / Steps);
        return (count + step - 1) / step * step;
    }

    private void BuildGroups(TokenBatch batch, bool usesPages)
    {
        ReadOnlySpan<Segment> segments = batch.Segments;
        _bySize.Clear();
        for (int i = 0; i < segments.Length; i++)
        {
            (int Rows, int Length) size = (RoundUp(segments[i].RowCount), Math.Max(LeastLength, RoundUp(segments[i].FirstPosition + segments[i].RowCount)));
            if (!_bySize.TryGetValue(size, out List<int>? same))
            {
                _bySize[size] = same = [];
            }

            same.Add(i);
        }

        long[] placeOfRow = new long[batch.RowCount];
        int place = 0;
        bool isIdentity = true;
        foreach (((int rowCount, int length), List<int> members) in _bySize)
        {
            Slice rows = Begin();
            foreach (int i in members)
            {
                for (int row = 0; row < rowCount; row++, place++)
                {
                    bool isReal = row < segments[i].RowCount;
                    int source = segments[i].FirstRow + (isReal ? row : 0);
                    _numbers.Add(source);
                    isIdentity &= isReal && source == place;
                    if (isReal)
                    {
                        placeOfRow[source] = place;
                    }
                }
            }

            rows = End(rows);
            Slice slots = Begin();
            foreach (int i in members)
            {
                int end = segments[i].FirstPosition + segments[i].RowCount;
                for (int position = 0; position < length; position++)
                {
                    _numbers.Add(Slot(batch, segments[i], position < end ? position : 0, usesPages));
                }
            }

            slots = End(slots);
            Slice positions = Begin();
            foreach (int i in members)
            {
                for (int row = 0; row < rowCount; row++)
                {
                    _numbers.Add(row < segments[i].RowCount ? segments[i].FirstPosition + row : 0);
                }
            }

            _groups.Add(new Group(members.Count, rowCount, length, rows, slots, End(positions)));
        }

        Places = Begin();
        if (!isIdentity)
        {
            _numbers.AddRange(placeOfRow);
        }

        Places = End(Places);
    }

    private void BuildVirtual(TokenBatch batch)
    {
        ReadOnlySpan<VirtualRow> rows = batch.VirtualRows;
        for (int first = 0, end; first < rows.Length; first = end)
        {
            ResidentAdapter adapter = rows[first].Adapter;
            float weight = rows[first].Weight;
            for (end = first + 1; end < rows.Length && ReferenceEquals(rows[end].Adapter, adapter) && rows[end].Weight.Equals(weight); end++)
            {
            }

            Slice targets = Begin();
            foreach (VirtualRow row in rows[first..end])
            {
                _numbers.Add(row.Row);
            }

            targets = End(targets);
            Slice sources = Begin();
            foreach (VirtualRow row in rows[first..end])
            {
                _numbers.Add(row.Index);
            }

            _virtual.Add(new VirtualUse(adapter, weight, targets, End(sources)));
        }
    }

    private void BuildSlots(RowGroup rows)
    {
        Dictionary<(AdapterArena Arena, int Depth), List<EditRun>> byArena = [];
        foreach (EditRun run in rows.Runs)
        {
            if (((TorchAdapter)run.Adapter).Slot is { } slot && run.RowCount < ProductChoice.ManyRows)
            {
                (CollectionsMarshal.GetValueRefOrAddDefault(byArena, (slot.Arena, run.Depth), out _) ??= []).Add(run);
            }
        }

        int runsOfAll = byArena.Values.Sum(runs => runs.Count);
        List<SlotUse> uses = [];
        HashSet<EditRun> together = [];
        foreach (((AdapterArena arena, _), List<EditRun> runs) in byArena)
        {
            if (choice.Of(arena, runs.Count, runsOfAll) is { } products)
            {
                uses.Add(Together(arena, runs, products));
                together.UnionWith(runs);
            }
        }

        if (uses.Count > 0)
        {
            _slots[rows] = new SlotLayout(uses, together);
        }
    }

    private SlotUse Together(AdapterArena arena, List<EditRun> runs, IPairProducts products)
    {
        EditRun[] ordered = [.. runs.OrderBy(Index)];
        Slice rows = Begin();
        bool areAdjacent = true;
        foreach (EditRun run in ordered)
        {
            for (int row = run.FirstRow; row < run.EndRow; row++)
            {
                areAdjacent &= row == ordered[0].FirstRow + _numbers.Count - rows.First;
                _numbers.Add(row);
            }
        }

        rows = End(rows);
        Slice slots = Begin();
        foreach (EditRun run in ordered)
        {
            _numbers.AddRange(Enumerable.Repeat((long)Index(run), run.RowCount));
        }

        slots = End(slots);
        Slice ends = Begin();
        for (int slot = 0, next = 0, end = 0; slot < arena.SlotCount; slot++)
        {
            for (; next < ordered.Length && Index(ordered[next]) == slot; next++)
            {
                end += ordered[next].RowCount;
            }

            _numbers.Add(end);
        }

        float[]? weights = Array.TrueForAll(ordered, run => run.Weight == 1) ? null : [.. ordered.SelectMany(run => Enumerable.Repeat(run.Weight, run.RowCount))];
        return new SlotUse(arena, products, rows, areAdjacent, ordered[0].FirstRow, slots, End(ends), weights);

        static int Index(EditRun run) => ((TorchAdapter)run.Adapter).Slot!.Index;
    }

    private Slice Sources(RowGroup rows)
    {
        Slice slice = Begin();
        foreach (int source in rows.Sources)
        {
            _numbers.Add(source);
        }

        return End(slice);
    }

    private Slice Begin() => new(_numbers.Count, 0);

    private Slice End(Slice slice) => slice with { Count = _numbers.Count - slice.First };

    /// <summary>Some of the numbers.</summary>
    internal readonly record struct Slice(int First, int Count);

    /// <summary>Segments of about the same size, see <see cref="AttentionGroup"/>.</summary>
    internal readonly record struct Group(int Segments, int RowCount, int Length, Slice Rows, Slice Slots, Slice Positions);

    /// <summary>What of a group's rows goes through products of an arena.</summary>
    /// <param name="Uses">By arena and depth.</param>
    /// <param name="Runs">The runs of all uses.</param>
    internal sealed record SlotLayout(IReadOnlyList<SlotUse> Uses, IReadOnlySet<EditRun> Runs)
    {
        /// <summary>Nothing.</summary>
        public static SlotLayout None { get; } = new([], new HashSet<EditRun>());
    }

    /// <summary>See <see cref="SlotRows"/>.</summary>
    internal readonly record struct SlotUse(
        AdapterArena Arena, IPairProducts Products, Slice Rows, bool AreAdjacent, int First, Slice Slots, Slice Ends, float[]? Weights);

    /// <summary>Rows that an adapter put ahead of prompts.</summary>
    /// <param name="Adapter">The adapter.</param>
    /// <param name="Weight">Its weight.</param>
    /// <param name="Rows">The batch's rows.</param>
    /// <param name="Indices">Which of the adapter's rows each is.</param>
    internal readonly record struct VirtualUse(ResidentAdapter Adapter, float Weight, Slice Rows, Slice Indices);
}
