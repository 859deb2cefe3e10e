using LoraServe.Torch.Resident;

namespace LoraServe.Torch.Forward;

/// <summary>Every row by every slot's pair in one product each way, with what is not the row's own put to zero between them: for few slots.</summary>
internal sealed class MaskedProducts : IPairProducts
{
    /// <inheritdoc />
    public Tensor Down(Tensor x, AdapterArena.Pairs pairs, SlotRows rows)
    {
        (long slots, long rank) = (pairs.A.shape[0], pairs.A.shape[1]);
        Tensor all = torch.nn.functional.linear(x, pairs.A.view(slots * rank, -1)).view(-1, slots, rank);

        // Not multiplied by the mask: what is infinite would be no number after it.
        return torch.where(rows.Owners.unsqueeze(2), all, torch.zeros(1, dtype: all.dtype, device: all.device)).view(-1, slots * rank);
    }

    /// <inheritdoc />
    public Tensor Up(Tensor down, AdapterArena.Pairs pairs, SlotRows rows) => down.matmul(pairs.TransposedB.view(down.shape[1], -1));
}
