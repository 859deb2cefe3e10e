using LoraServe.Torch.Native;

namespace LoraServe.Torch.Forward;

/// <summary>Segments of about the same size, that attend together: n segments of t rows that see L positions, shorter ones padded.</summary>
/// <param name="Segments">n.</param>
/// <param name="RowCount">t.</param>
/// <param name="Length">L.</param>
/// <param name="Rows">The batch's row of each place, int64 [n·t]; any where the place is padding.</param>
/// <param name="Slots">Where keys and values of each position are, int64 [n·L]; any where the position is padding.</param>
/// <param name="Positions">Position of each place's row, int64 [n, t]; 0 where the place is padding.</param>
/// <param name="Ascending">0, 1, … up to L at least, int64.</param>
internal sealed record AttentionGroup(int Segments, int RowCount, int Length, Tensor Rows, Tensor Slots, Tensor Positions, Tensor Ascending)
{
    private readonly Dictionary<int, Tensor> _masks = [];

    /// <summary>Which position each row sees, [n, 1, t·headsInGroup, L]; made once a step for each window.</summary>
    /// <param name="window">A row at position i sees j ≤ i with i − j below it; 0: every j ≤ i.</param>
    /// <param name="headsInGroup">Query heads for each key/value head, whose rows lie beside each other.</param>
    public Tensor Mask(int window, int headsInGroup)
    {
        if (!_masks.TryGetValue(window, out Tensor? mask))
        {
            Tensor keys = Ascending.narrow(0, 0, Length).view(1, 1, Length);
            Tensor rows = Positions.view(Segments, RowCount, 1);
            mask = keys.le(rows);
            if (window > 0)
            {
                mask = mask.logical_and(keys.gt(rows.Plus(-(long)window)));
            }

            mask = mask.view(Segments, 1, RowCount, 1, Length).expand(Segments, 1, RowCount, headsInGroup, Length)
                .reshape(Segments, 1, (long)RowCount * headsInGroup, Length).MoveToOuterDisposeScope();
            _masks[window] = mask;
        }

        return mask;
    }
}
