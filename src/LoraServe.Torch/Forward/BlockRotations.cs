using LoraServe.Torch.Resident;

namespace LoraServe.Torch.Forward;

/// <summary>Block-diagonal matrices applied to rows.</summary>
internal static class BlockRotations
{
    /// <summary>D·x of each row: by what the factor changes it.</summary>
    /// <param name="factor">The identity and D.</param>
    /// <param name="x">[T, inputs or outputs]; not changed.</param>
    /// <param name="type">What is computed in.</param>
    public static Tensor Change(RotationFactor factor, Tensor x, ScalarType type)
    {
        (long rows, long width) = (x.shape[0], x.shape[1]);
        Tensor placed = factor.Order is { } order ? x.index_select(1, order) : x;
        Tensor blocks = placed.reshape(rows, width / factor.Size, factor.Size);
        Tensor changes = factor.Changes.to(type).view(width / factor.Size, factor.Size, factor.Size);
        Tensor change = torch.einsum("tbj,bjc->tbc", blocks, changes).reshape(rows, width);
        return factor.Places is { } places ? change.index_select(1, places) : change;
    }
}
