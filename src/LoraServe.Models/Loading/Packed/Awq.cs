using LoraServe.Compute.Tensors;

namespace LoraServe.Models.Loading.Packed;

/// <summary>AWQ's, in the order of its GEMM kernels: codes and zeros of 4 bits packed along the outputs, eight at a time, even ones first; value = scale · (code − zero).</summary>
/// <param name="groupSize">Inputs that share a scale; −1 for all.</param>
internal sealed class Awq(int groupSize) : IPackedForm
{
    private const int PerWord = 8;

    // Where in a word each of eight outputs lies, in nibbles.
    private static readonly int[] s_places = [0, 4, 1, 5, 2, 6, 3, 7];

    /// <inheritdoc />
    public IReadOnlyList<string> Parts { get; } = ["qweight", "qzeros", "scales"];

    /// <inheritdoc />
    public Tensor? Read(string path, PackedParts parts)
    {
        if (parts.Find($"{path}.qweight") is not { } packed)
        {
            return null;
        }

        if (packed.Shape is not [> 0, > 0] || packed.ElementCount * PerWord > Array.MaxLength)
        {
            throw parts.Wrong(packed, $"I32 [inputs, outputs / {PerWord}]");
        }

        (long inputs, long words) = (packed.Shape[0], packed.Shape[1]);
        long outputs = words * PerWord;
        int size = groupSize > 0 ? groupSize : (int)inputs;
        long groups = (inputs + size - 1) / size;
        uint[] codes = parts.Words($"{path}.qweight", inputs, words).ToArray();
        uint[] zeros = parts.Words($"{path}.qzeros", groups, words).ToArray();
        float[] scales = parts.Floats($"{path}.scales", groups, outputs);
        float[] values = new float[inputs * outputs];
        Parallel.For(0, (int)outputs, output =>
        {
            int shift = s_places[output % PerWord] * 4;
            for (long input = 0; input < inputs; input++)
            {
                long group = input / size;
                int code = (int)(codes[(input * words) + (output / PerWord)] >> shift) & 15;
                int zero = (int)(zeros[(group * words) + (output / PerWord)] >> shift) & 15;
                values[(output * inputs) + input] = scales[(group * outputs) + output] * (code - zero);
            }
        });
        return PackedParts.Weight(path, values, outputs, inputs);
    }
}
