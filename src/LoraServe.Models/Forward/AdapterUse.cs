using LoraServe.Adapters.Resident;

namespace LoraServe.Models.Forward;

/// <summary>One adapter of a segment's stack.</summary>
/// <param name="Adapter">The adapter; must stay resident until the step is done.</param>
/// <param name="Weight">Factor of everything that it adds; 1 as trained.</param>
/// <param name="ActiveFrom">First position that it acts on; 0 for all.</param>
public readonly record struct AdapterUse(ResidentAdapter Adapter, float Weight = 1, int ActiveFrom = 0);
