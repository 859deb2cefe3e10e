using LoraServe.Compute.Tensors;

namespace LoraServe.Models.Loading.Packed;

/// <summary>GPTQ's: codes packed along the inputs, zeros along the outputs; value = scale · (code − zero), by group of inputs.</summary>
/// <param name="bits">Bits of a code: 2, 4 or 8.</param>
/// <param name="groupSize">Inputs that share a scale; −1 for all.</param>
/// <param name="zerosAreWhole">Whether zeros are stored as they are (version 2 of the format); version 1 stores one less.</param>
internal sealed class Gptq(int bits, int groupSize, bool zerosAreWhole) : IPackedForm
{
    /// <inheritdoc />
    public IReadOnlyList<string> Parts { get; } = ["qweight", "qzeros", "scales", "g_idx"];

    /// <inheritdoc />
    public Tensor? Read(string path, PackedParts parts)
    {
        if (parts.Find($"{path}.qweight") is not { } packed)
        {
            return null;
        }

        int perWord = 32 / bits;
        if (packed.Shape is not [> 0, > 0] || packed.ElementCount * perWord > Array.MaxLength || packed.Shape[1] % perWord != 0)
        {
            throw parts.Wrong(packed, $"I32 [inputs / {perWord}, outputs], of a multiple of {perWord} outputs");
        }

        (long inputs, long outputs) = (packed.Shape[0] * perWord, packed.Shape[1]);
        long groups = groupSize > 0 ? (inputs + groupSize - 1) / groupSize : 1;
        uint[] codes = parts.Words($"{path}.qweight", packed.Shape[0], outputs).ToArray();
        uint[] zeros = parts.Words($"{path}.qzeros", groups, outputs / perWord).ToArray();
        float[] scales = parts.Floats($"{path}.scales", groups, outputs);
        int[] groupOf = Groups(path, parts, inputs, groups);
        uint mask = (1u << bits) - 1;
        float[] values = new float[inputs * outputs];
        Parallel.For(0, (int)outputs, output =>
        {
            for (int input = 0; input < inputs; input++)
            {
                int group = groupOf[input];
                uint code = (codes[(input / perWord * outputs) + output] >> (input % perWord * bits)) & mask;
                uint zero = zeros[(group * outputs / perWord) + (output / perWord)] >> (output % perWord * bits);
                zero = (zerosAreWhole ? zero : zero + 1) & mask;
                values[(output * inputs) + input] = scales[(group * outputs) + output] * ((int)code - (int)zero);
            }
        });
        return PackedParts.Weight(path, values, outputs, inputs);
    }

    // Inputs that were sorted by importance name their groups.
    private int[] Groups(string path, PackedParts parts, long inputs, long groups)
    {
        string name = $"{path}.g_idx";
        if (parts.Find(name) is not { } stored)
        {
            return [.. Enumerable.Range(0, (int)inputs).Select(input => groupSize > 0 ? input / groupSize : 0)];
        }

        uint[] named = parts.Words(name, inputs).ToArray();
        return Array.TrueForAll(named, group => group < groups) ? Array.ConvertAll(named, group => (int)group) : throw parts.Wrong(stored, $"groups below {groups}");
    }
}
