using LoraServe.Torch.Native;
using LoraServe.Torch.Resident;

namespace LoraServe.Torch.Forward;

/// <summary>Rows whose adapters' low-rank pairs lie in one arena: they are added by few products, however many adapters they are.</summary>
/// <param name="Arena">The arena.</param>
/// <param name="Rows">The group's rows in the order of their slots, int64 [n]; null where they are adjacent and in order.</param>
/// <param name="First">The first of them where they are.</param>
/// <param name="Slots">The slot of each, int64 [n], ascending.</param>
/// <param name="Ends">For each slot how many of the rows are of it or one before it, int32 [slots].</param>
/// <param name="Weights">Weight of each row's adapter, [n, 1]; null where all are 1.</param>
/// <param name="Products">How they are multiplied.</param>
internal sealed record SlotRows(AdapterArena Arena, Tensor? Rows, int First, Tensor Slots, Tensor Ends, Tensor? Weights, IPairProducts Products)
{
    private Tensor? _owners;

    /// <summary>Which slot is each row's own, [n, slots]; made once a step.</summary>
    public Tensor Owners => _owners ??= MakeOwners();

    /// <summary>These rows of a tensor.</summary>
    public Tensor Select(Tensor x) => Rows is { } rows ? x.index_select(0, rows) : x.narrow(0, First, Slots.shape[0]);

    /// <summary>Adds the adapters' pairs to a map's product, in place.</summary>
    /// <param name="y">[T, outputs], changed.</param>
    /// <param name="selected">These rows of the map's input.</param>
    /// <param name="pairs">The pairs at the map.</param>
    public void Add(Tensor y, Tensor selected, AdapterArena.Pairs pairs)
    {
        Tensor down = Products.Down(selected, pairs, this);
        Tensor up = Products.Up(Weights is { } weights ? down.mul(weights) : down, pairs, this);
        if (Rows is { } rows)
        {
            y.IncreaseRows(rows, up);
        }
        else
        {
            y.narrow(0, First, Slots.shape[0]).Increase(up);
        }
    }

    private Tensor MakeOwners()
    {
        long[] all = [.. Enumerable.Range(0, Arena.SlotCount).Select(slot => (long)slot)];
        return Slots.view(-1, 1).eq(torch.tensor(all, device: Slots.device)).MoveToOuterDisposeScope();
    }
}
