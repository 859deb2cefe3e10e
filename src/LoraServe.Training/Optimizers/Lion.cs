using LoraServe.Adapters.Gradients;

namespace LoraServe.Training.Optimizers;

/// <summary>w ← w·(1 − rate·decay) − rate·sign(β1·m + (1 − β1)·g); m ← β2·m + (1 − β2)·g.</summary>
internal sealed class Lion(OptimizerOptions options) : UpdateRule
{
    private readonly double _beta1 = options.Beta1 ?? 0.9;
    private readonly double _beta2 = options.Beta2 ?? 0.99;
    private readonly double _decay = options.WeightDecay;

    public override IReadOnlyList<UpdateSlot> SlotsOf(Parameter parameter) => [new("momentum", parameter.Values.Length)];

    public override void Update(Parameter parameter, double rate, float[][] slots)
    {
        float kept = (float)(1 - (rate * (parameter.Decays ? _decay : 0)));
        (float step, float beta1, float beta2) = ((float)rate, (float)_beta1, (float)_beta2);
        (float new1, float new2) = ((float)(1 - _beta1), (float)(1 - _beta2));
        Span<float> values = parameter.Values;
        ReadOnlySpan<float> gradient = parameter.Gradient.AsSpan(0, values.Length);
        Span<float> momentum = slots[0].AsSpan(0, values.Length);
        for (int i = 0; i < values.Length; i++)
        {
            float direction = (beta1 * momentum[i]) + (new1 * gradient[i]);
            float sign = direction > 0 ? step : direction < 0 ? -step : 0;
            values[i] = (kept * values[i]) - sign;
            momentum[i] = (beta2 * momentum[i]) + (new2 * gradient[i]);
        }
    }
}
