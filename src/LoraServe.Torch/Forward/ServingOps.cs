using LoraServe.Torch.Native;
using LoraServe.Torch.Weights;

namespace LoraServe.Torch.Forward;

/// <summary>Operations in place, with keys and values in pages.</summary>
/// <param name="weights">The model's weights.</param>
/// <param name="pages">The pages.</param>
internal sealed class ServingOps(TorchWeights weights, TorchPages pages) : TorchOps(weights, ProductChoice.On(weights.Device, weights.Type))
{
    /// <inheritdoc />
    protected override bool UsesPages => true;

    public override Tensor GateMultiply(Tensor gate, Tensor up) => Activations.Apply(GateActivation, gate).mul_(up);

    /// <inheritdoc />
    protected override Tensor Add(Tensor to, Tensor what, float factor)
    {
        to.Increase(what, factor);
        return to;
    }

    /// <inheritdoc />
    protected override Tensor AddProduct(Tensor to, Tensor x, Tensor b, float factor)
    {
        to.addmm_(x, b.t(), 1, factor);
        return to;
    }

    /// <inheritdoc />
    protected override Tensor Replace(Tensor whole, IReadOnlyList<(Tensor Before, Tensor After)> parts)
    {
        foreach ((Tensor before, Tensor after) in parts)
        {
            if (!ReferenceEquals(before, after))
            {
                before.copy_(after);
            }
        }

        return whole;
    }

    /// <inheritdoc />
    protected override (Tensor Keys, Tensor Values) Remember(int layer, Tensor keys, Tensor values) => pages.Append(layer, Step.PageSlots, keys, values);
}
