using LoraServe.Compute.Tensors;

namespace LoraServe.Models.Loading.Packed;

/// <summary>bitsandbytes' int8: signed bytes and for each output the greatest magnitude; value = code · SCB / 127.</summary>
internal sealed class BitsAndBytesEightBits : IPackedForm
{
    /// <inheritdoc />
    public IReadOnlyList<string> Parts { get; } = ["weight", "SCB", "weight_format"];

    /// <inheritdoc />
    public Tensor? Read(string path, PackedParts parts)
    {
        if (parts.Find($"{path}.SCB") is null || parts.Find($"{path}.weight") is not { } weight)
        {
            return null;
        }

        if (weight.Type != ElementType.I8 || weight.Shape is not [> 0, > 0] || weight.ElementCount > Array.MaxLength)
        {
            throw parts.Wrong(weight, "I8 [outputs, inputs]");
        }

        if (parts.Find($"{path}.weight_format") is { } format && format.ElementCount == 1 && format.ToFloats()[0] != 0)
        {
            throw parts.Wrong(format, "0, which stands for rows that lie in order; save the model again with a current bitsandbytes");
        }

        float[] scales = parts.Floats($"{path}.SCB", weight.Shape[0]);
        float[] values = weight.ToFloats();
        for (long i = 0; i < values.Length; i++)
        {
            values[i] = values[i] * scales[i / weight.Shape[1]] / 127;
        }

        return PackedParts.Weight(path, values, weight.Shape[0], weight.Shape[1]);
    }
}
