using System.Collections.Immutable;
using LoraServe.Compute.Tensors;

namespace LoraServe.Compute.Files;

/// <summary>A tensor in a safetensors header, checked; bytes count from the start of the data.</summary>
internal readonly record struct SafetensorsEntry(string Name, ElementType Type, ImmutableArray<long> Shape, long Begin, long End);
