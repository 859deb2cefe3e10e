using LoraServe.Adapters.Edits;

namespace LoraServe.Torch.Resident;

/// <summary>What an adapter adds to the residual stream after a sublayer; the meaning of its parts is that of <see cref="Bottleneck"/>.</summary>
internal sealed record BottleneckEdit(
    BottleneckInput Input, Activation Activation, Tensor Down, Tensor DownBias, Tensor Up, Tensor UpBias, Tensor Scale)
{
    /// <summary>What is added to the variance below the norm's root.</summary>
    public const double NormEpsilon = 1e-5;

    /// <summary>Gains of the norm, [D]; null without a norm.</summary>
    public Tensor? NormGain { get; init; }

    /// <summary>Summands of the norm, [D]; null without a norm.</summary>
    public Tensor? NormBias { get; init; }

    /// <summary>Whether the norm is over f + sub.</summary>
    public bool NormCoversSublayer { get; init; }
}
