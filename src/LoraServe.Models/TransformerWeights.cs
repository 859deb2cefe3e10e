using System.Collections.Immutable;
using LoraServe.Adapters.Edits;
using LoraServe.Compute.Memory;
using LoraServe.Compute.Tensors;

namespace LoraServe.Models;

/// <summary>The parts that a <see cref="Transformer"/> is made of; linear maps and norms numbered as in <see cref="SiteTable"/>.</summary>
internal sealed record TransformerWeights(
    TransformerSpec Spec,
    Tensor TokenTable,
    ImmutableArray<LinearWeights> Linears,
    ImmutableArray<NativeBuffer> Norms);
