namespace LoraServe.Adapters.Resident;

/// <summary>What an adapter does at a norm: gains = base's gains + weight · delta. Memory belongs to the <see cref="ResidentAdapter"/>.</summary>
/// <param name="Delta">float32 [width].</param>
/// <param name="Width">Number of gains.</param>
public sealed record NormEdit(nint Delta, int Width);
