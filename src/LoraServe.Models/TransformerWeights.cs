using System.Collections.Immutable;
using LoraServe.Compute.Memory;
using LoraServe.Compute.Tensors;

namespace LoraServe.Models;

/// <summary>The parts that a <see cref="Transformer"/> is made of.</summary>
internal sealed record TransformerWeights(
    TransformerSpec Spec,
    Tensor TokenTable,
    ImmutableArray<LayerWeights> Layers,
    NativeBuffer FinalNorm,
    LinearWeights Head);
