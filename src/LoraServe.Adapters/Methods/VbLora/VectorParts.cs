using System.Numerics.Tensors;
using LoraServe.Adapters.Edits;

namespace LoraServe.Adapters.Methods.VbLora;

/// <summary>Vectors put together from a bank: each is the sum of a few of the bank's, with weights.</summary>
/// <param name="count">How many vectors are put together.</param>
/// <param name="chosen">Of how many of the bank each is the sum.</param>
internal sealed class VectorParts(int count, int chosen)
{
    /// <summary>Of how many of the bank each is the sum.</summary>
    public int Chosen { get; } = chosen;

    /// <summary>Which of the bank, [count, chosen].</summary>
    public int[] Indices { get; } = new int[checked(count * chosen)];

    /// <summary>With which weights, [count, chosen]; the last of each is what the others leave of one.</summary>
    public float[] Weights { get; } = new float[checked(count * chosen)];

    /// <summary>Chooses by logits: the greatest, with the softmax of these as weights.</summary>
    /// <param name="logits">[count, vectors of the bank].</param>
    /// <param name="chosen">Of how many each is to be the sum.</param>
    public static VectorParts FromLogits(FloatMatrix logits, int chosen)
    {
        var parts = new VectorParts(logits.Rows, chosen);
        for (int part = 0; part < logits.Rows; part++)
        {
            Span<int> indices = parts.Indices.AsSpan(part * chosen, chosen);
            Span<float> weights = parts.Weights.AsSpan(part * chosen, chosen);
            Greatest(logits.Row(part), indices, weights);
            TensorPrimitives.SoftMax(weights, weights);
            parts.CompleteWeights(part);
        }

        return parts;
    }

    /// <summary>Makes the last weight of a part what the others leave of one, as files leave it out.</summary>
    public void CompleteWeights(int part)
    {
        Span<float> weights = Weights.AsSpan(part * Chosen, Chosen);
        float others = 0;
        foreach (float weight in weights[..^1])
        {
            others += weight;
        }

        weights[^1] = 1 - others;
    }

    /// <summary>Sets a vector.</summary>
    /// <param name="part">Which.</param>
    /// <param name="bank">[vectors, length].</param>
    /// <param name="vector">[length].</param>
    public void Form(int part, FloatMatrix bank, Span<float> vector)
    {
        vector.Clear();
        for (int i = part * Chosen; i < (part + 1) * Chosen; i++)
        {
            TensorPrimitives.MultiplyAdd(bank.Row(Indices[i]), Weights[i], vector, vector);
        }
    }

    /// <summary>The greatest values, descending; of equal ones the first.</summary>
    private static void Greatest(ReadOnlySpan<float> values, Span<int> indices, Span<float> greatest)
    {
        int found = 0;
        for (int i = 0; i < values.Length; i++)
        {
            if (found == greatest.Length && values[i] <= greatest[^1])
            {
                continue;
            }

            int place = Math.Min(found, greatest.Length - 1);
            for (; place > 0 && greatest[place - 1] < values[i]; place--)
            {
                (greatest[place], indices[place]) = (greatest[place - 1], indices[place - 1]);
            }

            (greatest[place], indices[place]) = (values[i], i);
            found = Math.Min(found + 1, greatest.Length);
        }
    }
}
