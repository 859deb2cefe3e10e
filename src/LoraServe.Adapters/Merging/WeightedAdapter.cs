namespace LoraServe.Adapters.Merging;

/// <summary>An adapter and its weight in a combination.</summary>
/// <param name="Adapter">The adapter.</param>
/// <param name="Weight">Factor of its change; may be negative.</param>
public sealed record WeightedAdapter(Adapter Adapter, double Weight);
