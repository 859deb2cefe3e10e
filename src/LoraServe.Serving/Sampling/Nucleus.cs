using LoraServe.Serving.Requests;

namespace LoraServe.Serving.Sampling;

/// <summary>Which of the most likely tokens may be drawn, and the draw; weights are in descending order, the first is 1.</summary>
internal static class Nucleus
{
    /// <summary>How many of the tokens pass top-p and min-p; at least one.</summary>
    /// <param name="weights">Those that passed top-k, or so many that no other can pass.</param>
    /// <param name="total">Sum of the weights that top-p is a share of.</param>
    /// <param name="options">The limits.</param>
    public static int Count(ReadOnlySpan<float> weights, double total, SamplingOptions options)
    {
        int count = weights.Length;
        if (options.TopP < 1)
        {
            double wanted = options.TopP * total;
            double mass = 0;
            int kept = 0;
            while (kept < count && mass < wanted)
            {
                mass += weights[kept++];
            }

            count = Math.Max(kept, 1);
        }

        // The most likely token has weight 1; a forbidden one has none.
        while (count > 1 && (weights[count - 1] == 0 || weights[count - 1] < options.MinP))
        {
            count--;
        }

        return count;
    }

    /// <summary>Which of the tokens a random number from 0 up to, not including, 1 draws.</summary>
    public static int Draw(ReadOnlySpan<float> weights, double random)
    {
        double kept = Sum(weights);
        double left = random * kept;
        for (int i = 0; i < weights.Length - 1; i++)
        {
            left -= weights[i];
            if (left < 0)
            {
                return i;
            }
        }

        return weights.Length - 1;
    }

    /// <summary>Their sum, in order.</summary>
    public static double Sum(ReadOnlySpan<float> weights)
    {
        double sum = 0;
        foreach (float weight in weights)
        {
            sum += weight;
        }

        return sum;
    }
}
