using LoraServe.Models;
using LoraServe.Torch.Native;

namespace LoraServe.Torch.Resident;

/// <summary>The arenas of a model's adapters: by shape, each as large as all before it, so that there are few and none is ever moved.</summary>
/// <param name="memory">The device's.</param>
/// <param name="type">What pairs are held in.</param>
/// <param name="device">Where.</param>
internal sealed class AdapterArenas(DeviceMemory memory, ScalarType type, torch.Device device) : IDisposable
{
    private const int FirstSlots = 4;
    private const int MostSlots = 64;

    private readonly Lock _gate = new();
    private readonly Dictionary<ArenaShape, List<AdapterArena>> _arenas = [];

    /// <summary>Takes a place for an adapter.</summary>
    /// <exception cref="DeviceException">There is no memory for one more.</exception>
    public Slot Take(ArenaShape shape)
    {
        lock (_gate)
        {
            if (!_arenas.TryGetValue(shape, out List<AdapterArena>? arenas))
            {
                _arenas[shape] = arenas = [];
            }

            foreach (AdapterArena arena in arenas)
            {
                if (arena.Take() is >= 0 and int slot)
                {
                    return new Slot(this, arena, slot);
                }
            }

            AdapterArena another = Make(shape, Math.Clamp(arenas.Sum(arena => arena.SlotCount), FirstSlots, MostSlots));
            arenas.Add(another);
            return new Slot(this, another, another.Take());
        }
    }

    /// <inheritdoc />
    public void Dispose()
    {
        lock (_gate)
        {
            foreach (AdapterArena arena in _arenas.Values.SelectMany(arenas => arenas))
            {
                arena.Dispose();
            }

            _arenas.Clear();
        }
    }

    /// <summary>An arena of that many places, or of as many as there is memory for.</summary>
    private AdapterArena Make(ArenaShape shape, int slots)
    {
        while (true)
        {
            try
            {
                return memory.Make(slots * shape.Elements * type.ElementSize(), "the adapter's matrices", "expected fewer adapters in memory, or more of it", room =>
                    new AdapterArena(shape, slots, type, device, room));
            }
            catch (DeviceException) when (slots > 1)
            {
                slots /= 2;
            }
        }
    }

    private void Return(AdapterArena arena, int slot)
    {
        lock (_gate)
        {
            arena.Return(slot);
            if (arena.IsEmpty && _arenas.TryGetValue(arena.Shape, out List<AdapterArena>? arenas) && arenas.Remove(arena))
            {
                arena.Dispose();
                if (arenas.Count == 0)
                {
                    _arenas.Remove(arena.Shape);
                }
            }
        }
    }

    /// <summary>An adapter's place.</summary>
    /// <param name="arenas">Whose it is.</param>
    /// <param name="arena">Where.</param>
    /// <param name="index">Which place there.</param>
    internal sealed class Slot(AdapterArenas arenas, AdapterArena arena, int index) : IDisposable
    {
        private int _isReturned;

        /// <summary>Where.</summary>
        public AdapterArena Arena => arena;

        /// <summary>Which place there.</summary>
        public int Index => index;

        /// <inheritdoc />
        public void Dispose()
        {
            if (Interlocked.Exchange(ref _isReturned, 1) == 0)
            {
                arenas.Return(arena, index);
            }
        }
    }
}
