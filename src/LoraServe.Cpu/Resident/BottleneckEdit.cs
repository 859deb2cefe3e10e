using LoraServe.Adapters.Edits;
using LoraServe.Compute.Matrices;

namespace LoraServe.Cpu.Resident;

/// <summary>What an adapter adds to the residual stream after a sublayer, in compute form. Memory belongs to the <see cref="CpuAdapter"/>.</summary>
/// <remarks>
/// With sub the sublayer's result, res the residual stream before the sublayer's norm and the request's weight w, the
/// stream becomes res + sub + w·f, where in = sub, res + sub or res as <see cref="Input"/> says and
/// f = <see cref="Scale"/>∘(<see cref="Up"/>·act(<see cref="Down"/>·in + <see cref="DownBias"/>) + <see cref="UpBias"/>).
/// With a norm (<see cref="NormGain"/> is not 0) f becomes norm(f), or norm(f + sub) − sub where <see cref="NormCoversSublayer"/>.
/// </remarks>
internal sealed class BottleneckEdit
{
    /// <summary>What is added to the variance below the norm's root.</summary>
    public const float NormEpsilon = 1e-5f;

    public BottleneckEdit(BottleneckInput input, Activation activation, PackedMatrix down, nint downBias, PackedMatrix up, nint upBias, nint scale)
    {
        Input = input;
        Activation = activation;
        Down = down;
        DownBias = downBias;
        Up = up;
        UpBias = upBias;
        Scale = scale;
    }

    /// <summary>What it reads.</summary>
    public BottleneckInput Input { get; }

    /// <summary>The non-linearity.</summary>
    public Activation Activation { get; }

    /// <summary>[bottleneck, width].</summary>
    public PackedMatrix Down { get; }

    /// <summary>float32 [bottleneck].</summary>
    public nint DownBias { get; }

    /// <summary>[width, bottleneck].</summary>
    public PackedMatrix Up { get; }

    /// <summary>float32 [width].</summary>
    public nint UpBias { get; }

    /// <summary>float32 [width], a lone factor repeated.</summary>
    public nint Scale { get; }

    /// <summary>Gains of the norm, float32 [width]; 0 without a norm.</summary>
    public nint NormGain { get; init; }

    /// <summary>Summands of the norm, float32 [width]; 0 without a norm.</summary>
    public nint NormBias { get; init; }

    /// <summary>Whether the norm is over f + sub.</summary>
    public bool NormCoversSublayer { get; init; }
}
