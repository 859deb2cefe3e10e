namespace LoraServe.Adapters.Methods.Training;

/// <summary>First values of parameters: the same for the same seed on every machine.</summary>
internal static class Initialization
{
    /// <summary>Uniform within ±1/√inputs: PyTorch's Kaiming initialisation of a linear layer (a = √5).</summary>
    public static float[] KaimingUniform(int rows, int inputs, int seed) => Uniform(checked(rows * inputs), 1 / MathF.Sqrt(inputs), seed);

    /// <summary>Uniform within ±bound.</summary>
    public static float[] Uniform(int count, float bound, int seed)
    {
        var random = new Random(seed);
        float[] values = new float[count];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = ((random.NextSingle() * 2) - 1) * bound;
        }

        return values;
    }

    /// <summary>Normal with mean 0 (Box and Muller).</summary>
    public static float[] Normal(int count, float deviation, int seed)
    {
        var random = new Random(seed);
        float[] values = new float[count];
        for (int i = 0; i < values.Length; i++)
        {
            double radius = Math.Sqrt(-2 * Math.Log(1 - random.NextDouble()));
            values[i] = (float)(deviation * radius * Math.Cos(2 * Math.PI * random.NextDouble()));
        }

        return values;
    }
}
