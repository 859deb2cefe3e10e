using LoraServe.Torch.Native;
using LoraServe.Torch.Resident;

namespace LoraServe.Torch.Forward;

/// <summary>How runs of adapters whose pairs lie in one arena are multiplied.</summary>
/// <remarks>
/// A product a run is the least work, and as many launches as runs: for few adapters, and for prompts, whose products are large.
/// Grouped products are two launches and read what is used; masked ones are for devices without them, while slots are so few that
/// what they compute for nothing costs less than launches. Measured through libtorch on a processor, where launches cost little, with
/// adapters of rank 16 at all maps, as shares of the speed without any: 8 adapters 0.74 by themselves, 0.71 grouped, 0.65 masked; 32
/// adapters 0.60, 0.65 and 0.52. A GPU has more to win.
/// </remarks>
/// <param name="grouped">Grouped products, where the device has them.</param>
/// <param name="masked">Masked ones, where they are safe.</param>
/// <param name="fewRuns">Up to how many runs of a step each is multiplied by itself.</param>
internal sealed class ProductChoice(IPairProducts? grouped, IPairProducts? masked, int fewRuns)
{
    /// <summary>Rows from which on a run is a product of its own.</summary>
    public const int ManyRows = 256;

    private const int FewOnGpu = 2;
    private const int FewOnProcessor = 8;
    private const int MostMaskedSlots = 8;

    /// <summary>Each run by itself.</summary>
    public static ProductChoice Apart { get; } = new(grouped: null, masked: null, int.MaxValue);

    /// <summary>What a device can do.</summary>
    public static ProductChoice On(torch.Device device, ScalarType type) => new(
        GroupedProduct.IsOn(device, type) ? new GroupedProducts() : null,

        // In half precision a factor can be infinite that was not, and zero times that is no number, for all rows.
        type == ScalarType.Float16 ? null : new MaskedProducts(),
        device.type == DeviceType.CUDA ? FewOnGpu : FewOnProcessor);

    /// <summary>How to multiply runs together; null: each by itself.</summary>
    /// <param name="arena">The arena of all.</param>
    /// <param name="runs">Number of runs in it, each below <see cref="ManyRows"/> rows.</param>
    /// <param name="runsOfAll">The same in all arenas.</param>
    public IPairProducts? Of(AdapterArena arena, int runs, int runsOfAll) =>
        runs <= FewOnGpu || runsOfAll <= fewRuns ? null : grouped ?? (arena.SlotCount <= MostMaskedSlots ? masked : null);
}
