using LoraServe.Adapters.Edits;
using LoraServe.Torch.Native;
using LoraServe.Torch.Resident;

namespace LoraServe.Torch.Forward;

/// <summary>What bottleneck adapters make of a sublayer's result.</summary>
internal static class Bottlenecks
{
    /// <summary>f of an adapter, see <see cref="Bottleneck"/>.</summary>
    /// <param name="edit">The adapter's edit.</param>
    /// <param name="sublayer">The sublayer's result, [T, D].</param>
    /// <param name="residual">The residual stream before it, [T, D].</param>
    /// <param name="type">What is computed in.</param>
    public static Tensor Compute(BottleneckEdit edit, Tensor sublayer, Tensor residual, ScalarType type)
    {
        Tensor input = edit.Input switch { BottleneckInput.Sublayer => sublayer, BottleneckInput.Residual => residual, _ => residual.Plus(sublayer) };
        Tensor inner = Activations.Apply(edit.Activation, torch.nn.functional.linear(input, edit.Down.to(type), edit.DownBias.to(type)));
        Tensor f = torch.nn.functional.linear(inner, edit.Up.to(type), edit.UpBias.to(type)).mul(edit.Scale.to(type));
        if (edit is not { NormGain: { } gain, NormBias: { } bias })
        {
            return f;
        }

        Tensor v = (edit.NormCoversSublayer ? f.Plus(sublayer) : f).to(ScalarType.Float32);
        Tensor centred = v.sub(v.mean([-1], keepdim: true));
        Tensor normed = centred.mul(centred.mul(centred).mean([-1], keepdim: true).Plus(BottleneckEdit.NormEpsilon).rsqrt())
            .mul(gain.to(ScalarType.Float32)).Plus(bias.to(ScalarType.Float32)).to(type);
        return edit.NormCoversSublayer ? normed.sub(sublayer) : normed;
    }
}
