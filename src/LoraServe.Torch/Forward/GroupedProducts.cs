using LoraServe.Torch.Native;
using LoraServe.Torch.Resident;

namespace LoraServe.Torch.Forward;

/// <summary>One grouped product each way: reads the pairs of slots that have rows, and no others.</summary>
internal sealed class GroupedProducts : IPairProducts
{
    /// <inheritdoc />
    public Tensor Down(Tensor x, AdapterArena.Pairs pairs, SlotRows rows) => GroupedProduct.Of(x, pairs.A.transpose(1, 2), rows.Ends);

    /// <inheritdoc />
    public Tensor Up(Tensor down, AdapterArena.Pairs pairs, SlotRows rows) => GroupedProduct.Of(down, pairs.TransposedB, rows.Ends);
}
