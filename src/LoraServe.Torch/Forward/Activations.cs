using LoraServe.Adapters.Edits;
using LoraServe.Torch.Native;

namespace LoraServe.Torch.Forward;

/// <summary>The non-linearities.</summary>
internal static class Activations
{
    private const double LeakySlope = 0.01;

    /// <summary>A non-linearity of each element; the argument is not changed.</summary>
    public static Tensor Apply(Activation activation, Tensor x) => activation switch
    {
        Activation.Relu => x.relu(),
        Activation.LeakyRelu => torch.maximum(x, x.Times(LeakySlope)),
        Activation.Silu => x.silu(),
        Activation.Gelu => x.gelu(),
        Activation.TanhGelu => x.gelu(TorchSharp.Modules.GELU.Approximate.tanh),
        Activation.Tanh => x.tanh(),
        Activation.Sigmoid => x.sigmoid(),
        _ => throw new ArgumentOutOfRangeException(nameof(activation), activation, null),
    };
}
