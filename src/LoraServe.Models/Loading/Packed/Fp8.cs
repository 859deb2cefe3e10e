using LoraServe.Compute.Tensors;

namespace LoraServe.Models.Loading.Packed;

/// <summary>Weights of 8-bit floating point with a scale for each block, each output or the whole matrix; value = weight · scale.</summary>
/// <param name="block">Outputs and inputs of a block; null where scales are of outputs or of whole matrices.</param>
internal sealed class Fp8((long Rows, long Columns)? block) : IPackedForm
{
    /// <inheritdoc />
    public IReadOnlyList<string> Parts { get; } = ["weight", "weight_scale_inv", "weight_scale", "input_scale", "activation_scale"];

    /// <inheritdoc />
    public Tensor? Read(string path, PackedParts parts)
    {
        if (parts.Find($"{path}.weight") is not { Type: ElementType.F8_E4M3 or ElementType.F8_E5M2 } weight)
        {
            return null;
        }

        if (weight.Shape is not [> 0, > 0] || weight.ElementCount > Array.MaxLength)
        {
            throw parts.Wrong(weight, "[outputs, inputs]");
        }

        (long outputs, long inputs) = (weight.Shape[0], weight.Shape[1]);
        float[] values = weight.ToFloats();
        if (Array.Exists(values, value => !float.IsFinite(value)))
        {
            throw parts.Wrong(weight, "finite numbers");
        }

        string? name = new[] { $"{path}.weight_scale_inv", $"{path}.weight_scale" }.FirstOrDefault(name => parts.Find(name) is not null);
        if (name is not null)
        {
            Scale(values, parts, name, parts.Find(name)!, outputs, inputs);
        }

        return PackedParts.Weight(path, values, outputs, inputs);
    }

    private void Scale(float[] values, PackedParts parts, string name, Tensor stored, long outputs, long inputs)
    {
        bool isOne = stored.ElementCount == 1;
        bool isOfOutputs = !isOne && (stored.Shape is [var all] && all == outputs || stored.Shape is [var each, 1] && each == outputs);
        (long rows, long columns) = isOne ? (outputs, inputs)
            : isOfOutputs ? (1, inputs)
            : block ?? throw parts.Wrong(stored, $"one scale, or {outputs}, one an output; for scales of blocks, quantization_config needs weight_block_size");
        long across = (inputs + columns - 1) / columns;
        long down = (outputs + rows - 1) / rows;
        float[] scales = isOne || isOfOutputs ? parts.Floats(name, [.. stored.Shape]) : parts.Floats(name, down, across);
        Parallel.For(0, (int)outputs, output =>
        {
            for (long input = 0; input < inputs; input++)
            {
                values[(output * inputs) + input] *= scales[(output / rows * across) + (input / columns)];
            }
        });
    }
}
