using System.Numerics.Tensors;
using LoraServe.Adapters.Gradients;

namespace LoraServe.Training.Optimizers;

/// <summary>w ← w·(1 − rate·decay), then w ← w − rate·m̂/(√v̂ + ε), with both moments corrected for their start at zero.</summary>
internal sealed class AdamW(OptimizerOptions options) : UpdateRule
{
    private readonly double _beta1 = options.Beta1 ?? 0.9;
    private readonly double _beta2 = options.Beta2 ?? 0.999;
    private readonly float _epsilon = (float)(options.Epsilon ?? 1e-8);
    private readonly double _decay = options.WeightDecay;

    public override IReadOnlyList<UpdateSlot> SlotsOf(Parameter parameter) =>
        [new("step", 1), new("first_moment", parameter.Values.Length), new("second_moment", parameter.Values.Length)];

    public override void Update(Parameter parameter, double rate, float[][] slots)
    {
        float step = ++slots[0][0];
        float kept = (float)(1 - (rate * (parameter.Decays ? _decay : 0)));
        float stepSize = (float)(rate / (1 - Math.Pow(_beta1, step)));
        float rootCorrection = (float)Math.Sqrt(1 - Math.Pow(_beta2, step));
        Span<float> scratch = stackalloc float[BlockLength];
        for (int start = 0; start < parameter.Values.Length; start += BlockLength)
        {
            int length = Math.Min(BlockLength, parameter.Values.Length - start);
            Span<float> part = scratch[..length];
            Span<float> values = parameter.Values.AsSpan(start, length);
            ReadOnlySpan<float> gradient = parameter.Gradient.AsSpan(start, length);
            Span<float> first = slots[1].AsSpan(start, length);
            Span<float> second = slots[2].AsSpan(start, length);

            TensorPrimitives.Subtract(gradient, first, part);
            TensorPrimitives.Multiply(part, (float)(1 - _beta1), part);
            TensorPrimitives.Add(first, part, first);

            TensorPrimitives.Multiply(gradient, gradient, part);
            TensorPrimitives.Multiply(part, (float)(1 - _beta2), part);
            TensorPrimitives.Multiply(second, (float)_beta2, second);
            TensorPrimitives.Add(second, part, second);

            TensorPrimitives.Sqrt(second, part);
            TensorPrimitives.Divide(part, rootCorrection, part);
            TensorPrimitives.Add(part, _epsilon, part);
            TensorPrimitives.Divide(first, part, part);
            TensorPrimitives.Multiply(part, stepSize, part);
            TensorPrimitives.Multiply(values, kept, values);
            TensorPrimitives.Subtract(values, part, values);
        }
    }
}
