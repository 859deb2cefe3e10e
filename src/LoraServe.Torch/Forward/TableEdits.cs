using LoraServe.Torch.Native;
using LoraServe.Torch.Resident;

namespace LoraServe.Torch.Forward;

/// <summary>What adapters do to rows of the token table.</summary>
internal static class TableEdits
{
    /// <summary>The rows as an adapter makes them.</summary>
    /// <param name="edit">The adapter's edit.</param>
    /// <param name="weight">The request's weight of the adapter.</param>
    /// <param name="tokens">The rows' tokens, int64 [T].</param>
    /// <param name="scalings">What pairs are scaled by in the rows, [T, scalings]; null where nothing scales them.</param>
    /// <param name="rows">[T, D]; not changed.</param>
    public static Tensor Apply(TableEdit edit, float weight, Tensor tokens, Tensor? scalings, Tensor rows)
    {
        ScalarType type = rows.dtype;
        rows = edit.Replacement is { } table ? table.index_select(0, tokens).to(type) : rows;
        rows = edit.OutputGain is { } gain ? rows.Plus(rows.mul(gain.to(type)), weight) : rows;
        if (edit is { Codes: { } codes, Directions: { } directions })
        {
            Tensor looked = codes.index_select(0, tokens).to(type);
            looked = edit.RankScalings is { } places ? looked.mul(scalings!.index_select(1, places)) : looked;
            rows = rows.Plus(looked.matmul(directions.to(type)), weight);
        }

        rows = edit.Table is { } changes ? rows.Plus(changes.index_select(0, tokens).to(type), weight) : rows;
        if (edit is { RowDeltas: { } deltas, RowOfToken: { } rowOfToken })
        {
            Tensor none = torch.zeros(1, deltas.shape[1], dtype: deltas.dtype, device: deltas.device);
            rows = rows.Plus(torch.cat([deltas, none]).index_select(0, rowOfToken.index_select(0, tokens)).to(type), weight);
        }

        return rows;
    }
}
