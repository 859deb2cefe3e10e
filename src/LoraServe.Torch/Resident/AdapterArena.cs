using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Folding;

namespace LoraServe.Torch.Resident;

/// <summary>Low-rank pairs of adapters of one shape, beside each other: one product for all of them reads only those that are used.</summary>
internal sealed class AdapterArena : IDisposable
{
    private readonly Dictionary<Site, Pairs> _pairs = [];
    private readonly bool[] _isTaken;
    private readonly ScalarType _type;
    private readonly IDisposable _room;

    /// <summary>Zeros.</summary>
    /// <param name="shape">Shape of the adapters.</param>
    /// <param name="slots">How many.</param>
    /// <param name="type">What they are held in.</param>
    /// <param name="device">Where.</param>
    /// <param name="room">What it takes of the device's memory; becomes its own.</param>
    public AdapterArena(ArenaShape shape, int slots, ScalarType type, torch.Device device, IDisposable room)
    {
        (Shape, _type, _room, _isTaken) = (shape, type, room, new bool[slots]);
        using DisposeScope scope = torch.NewDisposeScope();
        foreach (ArenaShape.Place place in shape.Sites)
        {
            Tensor a = torch.zeros([slots, place.Rank, place.Inputs], dtype: type, device: device);
            Tensor b = torch.zeros([slots, place.Rank, place.Outputs], dtype: type, device: device);
            _pairs[place.Site] = new Pairs(a.DetachFromDisposeScope(), b.DetachFromDisposeScope());
        }
    }

    /// <summary>Shape of the adapters.</summary>
    public ArenaShape Shape { get; }

    /// <summary>How many adapters fit.</summary>
    public int SlotCount => _isTaken.Length;

    /// <summary>Whether there is none.</summary>
    public bool IsEmpty => !_isTaken.Contains(true);

    /// <summary>The pairs at a map; null where the shape has none.</summary>
    public Pairs? At(Site site) => _pairs.GetValueOrDefault(site);

    /// <summary>Takes a place; −1 where there is none.</summary>
    public int Take()
    {
        int slot = Array.IndexOf(_isTaken, false);
        if (slot >= 0)
        {
            _isTaken[slot] = true;
        }

        return slot;
    }

    /// <summary>Gives a place back.</summary>
    public void Return(int slot) => _isTaken[slot] = false;

    /// <summary>Writes a pair; ranks that it has not are zeros.</summary>
    /// <returns>A, [rank, inputs], and Bᵀ times its factor, [rank, outputs]: views.</returns>
    public (Tensor A, Tensor TransposedB) Write(int slot, SiteEdits edits)
    {
        Pairs pairs = _pairs[edits.Module.Site];
        using DisposeScope scope = torch.NewDisposeScope();
        return (Write(pairs.A, slot, edits.A!).MoveToOuterDisposeScope(), Write(pairs.TransposedB, slot, edits.Directions!).MoveToOuterDisposeScope());
    }

    /// <inheritdoc />
    public void Dispose()
    {
        foreach (Pairs pairs in _pairs.Values)
        {
            pairs.A.Dispose();
            pairs.TransposedB.Dispose();
        }

        _room.Dispose();
    }

    private Tensor Write(Tensor all, int slot, FloatMatrix values)
    {
        Tensor place = all.select(0, slot);
        place.zero_();
        Tensor used = place.narrow(0, 0, values.Rows);
        used.copy_(torch.tensor(values.Values, values.Rows, values.Columns, dtype: _type));
        return used;
    }

    /// <summary>Pairs of all slots at a map.</summary>
    /// <param name="A">[slots, rank, inputs].</param>
    /// <param name="TransposedB">[slots, rank, outputs], the pairs' factors folded in.</param>
    internal sealed record Pairs(Tensor A, Tensor TransposedB);
}
