using LoraServe.Compute.Files;
using LoraServe.Compute.Tensors;
using Xunit;

namespace LoraServe.Testing;

/// <summary>Reference outputs: prompts with their logits and greedy continuations, as a safetensors file lists them.</summary>
public sealed class Golden(string path) : IDisposable
{
    private readonly SafetensorsFile _file = SafetensorsFile.Open(path);

    public bool Has(string name) => _file.Tensors.ContainsKey(name);

    public float[] Floats(string name) => _file.Tensors[name].ToFloats();

    public double Number(string name) => Doubles(name)[0];

    public int[] Ids(string name) => [.. Floats(name).Select(value => (int)value)];

    /// <summary>0, 1, … as long as there is such a tensor.</summary>
    public IEnumerable<int> Indices(Func<int, string> name) => Enumerable.Range(0, int.MaxValue).TakeWhile(i => Has(name(i)));

    public void Dispose() => _file.Dispose();

    /// <summary>The largest difference between logits [T][V] and the same row-major.</summary>
    public static float LargestDifference(float[][] actual, ReadOnlySpan<float> expected)
    {
        Assert.Equal(expected.Length, actual.Sum(row => row.Length));
        float largest = 0;
        int i = 0;
        foreach (float[] row in actual)
        {
            foreach (float value in row)
            {
                float difference = MathF.Abs(value - expected[i++]);
                largest = difference <= largest ? largest : difference;
            }
        }

        return largest;
    }

    private unsafe double[] Doubles(string name)
    {
        Tensor tensor = _file.Tensors[name];
        return new ReadOnlySpan<double>((void*)tensor.Data, (int)tensor.ElementCount).ToArray();
    }
}
