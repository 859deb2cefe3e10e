using System.Collections.Immutable;
using LoraServe.Compute.Tensors;

namespace LoraServe.Adapters.Loading;

/// <summary>A tensor of an adapter file.</summary>
/// <param name="Name">Its name in the file.</param>
/// <param name="Type">How its elements are stored.</param>
/// <param name="Shape">Extents, outermost first.</param>
public sealed record AdapterTensorSummary(string Name, ElementType Type, ImmutableArray<long> Shape);
