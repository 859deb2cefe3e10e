using System.Numerics.Tensors;
using LoraServe.Adapters.Gradients;

namespace LoraServe.Training.Optimizers;

/// <summary>g ← g + decay·w; m ← momentum·m + g; w ← w − rate·m.</summary>
/// <remarks>A momentum that begins at zero is the first gradient after the first step: there is no dampening.</remarks>
internal sealed class Sgd(OptimizerOptions options) : UpdateRule
{
    private readonly float _momentum = (float)options.Momentum;
    private readonly float _decay = (float)options.WeightDecay;

    public override IReadOnlyList<UpdateSlot> SlotsOf(Parameter parameter) =>
        _momentum == 0 ? [] : [new("momentum", parameter.Values.Length)];

    public override void Update(Parameter parameter, double rate, float[][] slots)
    {
        Span<float> scratch = stackalloc float[BlockLength];
        for (int start = 0; start < parameter.Values.Length; start += BlockLength)
        {
            int length = Math.Min(BlockLength, parameter.Values.Length - start);
            Span<float> change = scratch[..length];
            Span<float> values = parameter.Values.AsSpan(start, length);
            TensorPrimitives.Multiply(values, parameter.Decays ? _decay : 0, change);
            TensorPrimitives.Add(change, parameter.Gradient.AsSpan(start, length), change);
            if (_momentum != 0)
            {
                Span<float> momentum = slots[0].AsSpan(start, length);
                TensorPrimitives.Multiply(momentum, _momentum, momentum);
                TensorPrimitives.Add(momentum, change, momentum);
                momentum.CopyTo(change);
            }

            TensorPrimitives.Multiply(change, (float)rate, change);
            TensorPrimitives.Subtract(values, change, values);
        }
    }
}
