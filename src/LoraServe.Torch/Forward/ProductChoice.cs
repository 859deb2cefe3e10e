using LoraServe.Torch.Native;
using LoraServe.Torch.Resident;

namespace LoraServe.Torch.Forward;

/// <summary>How runs of adapters whose pairs lie in one arena are multiplied.</summary>
/// <remarks>
/// A product a run is the least work, and as many launches as runs: for few adapters, and for prompts, whose products are large.
/// Grouped products are two launches and read what is used; masked ones are for devices without them, while slots are so few that
/// what they compute for nothing costs less than launches.
/// </remarks>
/// <param name="grouped">Grouped products, where the device has them.</param>
/// <param name="masked">Masked ones, where they are safe.</param>
internal sealed class ProductChoice(IPairProducts? grouped, IPairProducts? masked)
{
    /// <summary>Rows from which on a run is a product of its own.</summary>
    public const int ManyRows = 256;

    private const int FewRuns = 2;
    private const int MostMaskedSlots = 8;

    /// <summary>Each run by itself.</summary>
    public static ProductChoice Apart { get; } = new(grouped: null, masked: null);

    /// <summary>What a device can do.</summary>
    public static ProductChoice On(torch.Device device, ScalarType type) => new(
        GroupedProduct.IsOn(device, type) ? new GroupedProducts() : null,

        // In half precision a factor can be infinite that was not, and zero times that is no number, for all rows.
        type == ScalarType.Float16 ? null : new MaskedProducts());

    /// <summary>How to multiply runs together; null: each by itself.</summary>
    /// <param name="arena">The arena of all.</param>
    /// <param name="runs">Number of runs below <see cref="ManyRows"/> rows.</param>
    public IPairProducts? Of(AdapterArena arena, int runs) =>
        runs <= FewRuns ? null : grouped ?? (arena.SlotCount <= MostMaskedSlots ? masked : null);
}
