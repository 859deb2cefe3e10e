using LoraServe.Adapters.Edits;

namespace LoraServe.Adapters.Methods.UniLora;

/// <summary>Which of the shared numbers each element of a pair is, and its factor.</summary>
/// <param name="OfA">[rank · inputs].</param>
/// <param name="OfB">[outputs · rank].</param>
/// <param name="ScalesOfA">[rank · inputs].</param>
/// <param name="ScalesOfB">[outputs · rank].</param>
internal sealed record UniLoraPlaces(int[] OfA, int[] OfB, float[] ScalesOfA, float[] ScalesOfB)
{
    /// <summary>The pair that the numbers make.</summary>
    public LowRank Edit(BaseModule module, int rank, float[] numbers) => new(
        module.Site, new FloatMatrix(rank, module.Inputs, Spread(numbers, OfA, ScalesOfA)), new FloatMatrix(module.Outputs, rank, Spread(numbers, OfB, ScalesOfB)), 1);

    /// <summary>Adds to the derivatives by the numbers what those by the pair come to.</summary>
    public void Pull(float[] byA, float[] byB, float[] byNumbers)
    {
        Gather(byA, OfA, ScalesOfA, byNumbers);
        Gather(byB, OfB, ScalesOfB, byNumbers);
    }

    private static float[] Spread(float[] numbers, int[] places, float[] scales)
    {
        float[] values = new float[places.Length];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = numbers[places[i]] * scales[i];
        }

        return values;
    }

    private static void Gather(float[] d, int[] places, float[] scales, float[] sums)
    {
        for (int i = 0; i < places.Length; i++)
        {
            sums[places[i]] += d[i] * scales[i];
        }
    }
}
