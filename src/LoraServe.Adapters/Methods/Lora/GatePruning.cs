using System.Numerics.Tensors;
using LoraServe.Adapters.Edits;

namespace LoraServe.Adapters.Methods.Lora;

/// <summary>What becomes of a pair when its gates have been learned.</summary>
public static class GatePruning
{
    /// <summary>Folds the gates into A and leaves out the terms whose gate is closed. The scale stays: alpha falls with the rank.</summary>
    /// <param name="pair">With A as it is without gates.</param>
    /// <param name="gates">As <see cref="RankGates{T}.Rest"/> gives them.</param>
    /// <param name="threshold">Gates of at most this magnitude are closed; 0 suits hard concrete ones.</param>
    /// <returns>The pair; null where every gate is closed.</returns>
    /// <exception cref="ArgumentException">There is not one gate for each term.</exception>
    public static LowRank? Prune(LowRank pair, ReadOnlySpan<float> gates, float threshold)
    {
        ArgumentNullException.ThrowIfNull(pair);
        if (gates.Length != pair.Rank)
        {
            throw new ArgumentException($"There are {gates.Length} gates; expected one for each of the pair's {pair.Rank} terms.", nameof(gates));
        }

        var open = new List<int>();
        for (int k = 0; k < gates.Length; k++)
        {
            if (MathF.Abs(gates[k]) > threshold)
            {
                open.Add(k);
            }
        }

        if (open.Count == 0)
        {
            return null;
        }

        var a = new FloatMatrix(open.Count, pair.A.Columns);
        var b = new FloatMatrix(pair.B.Rows, open.Count);
        for (int place = 0; place < open.Count; place++)
        {
            TensorPrimitives.Multiply(pair.A.Row(open[place]), gates[open[place]], a.Row(place));
            for (int row = 0; row < b.Rows; row++)
            {
                b.Row(row)[place] = pair.B.Row(row)[open[place]];
            }
        }

        return new LowRank(pair.Site, a, b, pair.Scale);
    }
}
