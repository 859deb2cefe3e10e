using System.Numerics.Tensors;

namespace LoraServe.Adapters.Merging;

/// <summary>Ways to bring tensors of one shape together.</summary>
internal static class TaskArithmetic
{
    /// <summary>Σ weightₖ·tensorₖ.</summary>
    public static float[] Sum(IEnumerable<float[]> tensors, double[] weights)
    {
        float[] sum = [];
        foreach ((float[] tensor, double weight) in tensors.Zip(weights))
        {
            sum = sum.Length > 0 ? sum : new float[tensor.Length];
            TensorPrimitives.MultiplyAdd(tensor, (float)weight, sum, sum);
        }

        return sum;
    }

    /// <summary>TIES: of each element the weighted mean of the values whose sign is the elected one; the weights have no vote.</summary>
    public static float[] ElectSigns(IReadOnlyList<float[]> tensors, double[] weights, bool byFrequency)
    {
        float[] merged = new float[tensors[0].Length];
        for (int i = 0; i < merged.Length; i++)
        {
            double votes = 0;
            foreach (float[] tensor in tensors)
            {
                votes += byFrequency ? Math.Sign(tensor[i]) : tensor[i];
            }

            int elected = votes >= 0 ? 1 : -1;
            (double sum, int agreeing) = (0, 0);
            for (int k = 0; k < tensors.Count; k++)
            {
                if (Math.Sign(tensors[k][i]) == elected)
                {
                    sum += weights[k] * tensors[k][i];
                    agreeing++;
                }
            }

            merged[i] = (float)(sum / Math.Max(agreeing, 1));
        }

        return merged;
    }
}
