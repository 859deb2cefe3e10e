using LoraServe.Compute.Memory;
using LoraServe.Models.Forward;
using LoraServe.Torch.Native;
using LoraServe.Torch.Resident;
using LoraServe.Torch.Weights;

namespace LoraServe.Torch.Forward;

/// <summary>What a step's operations share, on the device: made once a step, of two copies.</summary>
/// <param name="weights">The model's weights.</param>
/// <param name="products">How adapters' pairs are multiplied.</param>
internal sealed class StepTensors(TorchWeights weights, ProductChoice products) : IDisposable
{
    private readonly StepLayout _layout = new(products);
    private readonly RopeTables[] _ropes = [.. weights.Spec.Ropes.Select(rope => new RopeTables(rope, weights.Spec.HeadSize))];
    private readonly (Tensor Cosines, Tensor Sines)[] _turns = new (Tensor, Tensor)[2];
    private readonly Dictionary<RowGroup, RowRange[]> _ranges = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<RowGroup, SlotRows[]> _slots = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<RowGroup, Tensor> _scalings = new(ReferenceEqualityComparer.Instance);
    private int _scalingWidth;
    private Tensor? _integers;
    private Tensor? _floats;
    private Tensor _numbers = null!;

    /// <summary>Tokens, int64 [T]; 0 in virtual rows.</summary>
    public Tensor Tokens { get; private set; } = null!;

    /// <summary>The slot of each row's key and value, int64 [T].</summary>
    public Tensor PageSlots { get; private set; } = null!;

    /// <summary>For each row its place among those of all groups; null where they are the rows in order.</summary>
    public Tensor? Places { get; private set; }

    /// <summary>Positions of the rows, int64 [T]; made where they are looked up.</summary>
    public Tensor Positions { get; private set; } = null!;

    /// <summary>The segments by size.</summary>
    public IReadOnlyList<AttentionGroup> Groups { get; private set; } = [];

    /// <summary>The rows that adapters put ahead of prompts: which of the batch they are, and of the adapter.</summary>
    public IReadOnlyList<(TorchAdapter Adapter, float Weight, Tensor Rows, Tensor Indices)> Virtual { get; private set; } = [];

    /// <summary>Lays out a batch and copies what the step needs. The tensors belong to the caller's scope.</summary>
    public void Begin(TokenBatch batch, bool usesPages)
    {
        _layout.Build(batch, usesPages);
        _ranges.Clear();
        _slots.Clear();
        _scalings.Clear();
        _scalingWidth = batch.Scalings.Width;
        _numbers = Upload(_layout.Numbers, ref _integers);
        Tokens = Of(_layout.Tokens);
        PageSlots = Of(_layout.Slots);
        Places = _layout.Places.Count > 0 ? Of(_layout.Places) : null;
        Groups = [.. _layout.Groups.Select(group => new AttentionGroup(
            group.Segments, group.RowCount, group.Length, Of(group.Rows), Of(group.Slots), Of(group.Positions), Of(_layout.Ascending)))];
        Virtual = [.. _layout.Virtual.Select(use => ((TorchAdapter)use.Adapter, use.Weight, Of(use.Rows), Of(use.Indices)))];
        foreach (RowGroup rows in (ReadOnlySpan<RowGroup>)[batch.All, batch.Logits, batch.Hidden])
        {
            _slots[rows] = [.. _layout.SlotsOf(rows).Uses.Select(Of)];
            if (Scalings(rows) is { } scalings)
            {
                _scalings[rows] = scalings;
            }
        }

        Turn(batch);
    }

    /// <summary>Cosines and sines of the rows' turns in a layer, [T, 1, half of what is turned of a head].</summary>
    public (Tensor Cosines, Tensor Sines) Turns(int layer) => _turns[ReferenceEquals(weights.Spec.RopeOf(layer), weights.Spec.Rope) ? 0 : 1];

    /// <summary>The rows of a group whose adapters' pairs are multiplied together.</summary>
    public IReadOnlyList<SlotRows> Slots(RowGroup rows) => _slots.GetValueOrDefault(rows, []);

    /// <summary>Whether a run's pairs are among those.</summary>
    public bool IsTogether(RowGroup rows, EditRun run) => _layout.SlotsOf(rows).Runs.Contains(run);

    /// <summary>What pairs are scaled by in the rows of a group, [rows, scalings], zeros behind those of a row that has fewer; null where no row has any.</summary>
    /// <remarks>Made once a step for the batch's own groups.</remarks>
    public Tensor? Scalings(RowGroup rows)
    {
        if (_scalingWidth == 0 || rows.Count == 0)
        {
            return null;
        }

        if (_scalings.TryGetValue(rows, out Tensor? made))
        {
            return made;
        }

        float[] values = new float[rows.Count * _scalingWidth];
        for (int row = 0; row < rows.Count; row++)
        {
            rows.ScalingsOf(row).CopyTo(values.AsSpan(row * _scalingWidth));
        }

        return torch.tensor(values, rows.Count, _scalingWidth, dtype: weights.Type, device: weights.Device);
    }

    /// <summary>Which rows of the batch a group has, int64; null where it has all.</summary>
    public Tensor? Sources(TokenBatch batch, RowGroup rows) =>
        rows.Count == batch.RowCount ? null : Of(ReferenceEquals(rows, batch.Logits) ? _layout.Logits : _layout.Hidden);

    /// <summary>The rows of a group, cut where adapters begin and end; kept for the batch's own groups.</summary>
    public RowRange[] Ranges(TokenBatch batch, RowGroup rows)
    {
        if (!ReferenceEquals(rows, batch.All) && !ReferenceEquals(rows, batch.Logits) && !ReferenceEquals(rows, batch.Hidden))
        {
            return RowRange.Of(rows);
        }

        if (!_ranges.TryGetValue(rows, out RowRange[]? ranges))
        {
            _ranges[rows] = ranges = RowRange.Of(rows);
        }

        return ranges;
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _integers?.Dispose();
        _floats?.Dispose();
    }

    private Tensor Of(StepLayout.Slice slice) => _numbers.narrow(0, slice.First, slice.Count);

    private SlotRows Of(StepLayout.SlotUse use) => new(
        use.Arena,
        use.AreAdjacent ? null : Of(use.Rows),
        use.First,
        Of(use.Slots),
        Of(use.Ends).to(ScalarType.Int32),
        use.Weights is { } rowWeights ? torch.tensor(rowWeights, rowWeights.Length, 1, dtype: weights.Type, device: weights.Device) : null,
        use.Products);

    private void Turn(TokenBatch batch)
    {
        if (weights.Spec.LearnsPositions)
        {
            Positions = torch.tensor([.. batch.Positions.ToArray().Select(position => (long)position)], device: weights.Device);
        }

        for (int i = 0; i < _ropes.Length; i++)
        {
            int width = _ropes[i].Width;
            Reserve(ref _floats, (long)batch.RowCount * width, ScalarType.Float32);
            _ropes[i].Fill(batch, new Rows(_floats.Address(), batch.RowCount, width, width));
            Tensor turns = _floats.narrow(0, 0, (long)batch.RowCount * width).to(weights.Type, weights.Device, copy: true).view(batch.RowCount, 1, width);
            _turns[i] = (turns.narrow(2, 0, width / 2), turns.narrow(2, width / 2, width / 2));
        }
    }

    private unsafe Tensor Upload(ReadOnlySpan<long> numbers, ref Tensor? staging)
    {
        Reserve(ref staging, numbers.Length, ScalarType.Int64);
        numbers.CopyTo(new Span<long>((void*)staging!.Address(), numbers.Length));
        return staging.narrow(0, 0, numbers.Length).to(ScalarType.Int64, weights.Device, copy: true);
    }

    private void Reserve([System.Diagnostics.CodeAnalysis.NotNull] ref Tensor? staging, long count, ScalarType type)
    {
        if (staging is not null && staging.NumberOfElements >= count)
        {
            return;
        }

        staging?.Dispose();
        Tensor made = torch.empty(Math.Max(1024, count * 3 / 2), dtype: type);
        staging = (weights.Device.type == DeviceType.CUDA ? made.pin_memory() : made).DetachFromDisposeScope();
    }
}
