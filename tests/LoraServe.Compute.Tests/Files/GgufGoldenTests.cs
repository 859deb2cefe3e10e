using LoraServe.Compute.Files;
using LoraServe.Compute.Tensors;
using LoraServe.Testing;

namespace LoraServe.Compute.Tests.Files;

public class GgufGoldenTests
{
    public static TheoryData<string> GgufFiles => [.. SharedFiles.Cases(SharedFiles.FileNames("fixtures/gguf", "*.gguf"))];

    [SkippableTheory]
    [MemberData(nameof(GgufFiles))]
    public void ToFloats_TensorsOfSharedFiles_EqualTheReference(string file)
    {
        string path = SharedFiles.Require($"fixtures/gguf/{file}");
        using var expected = SafetensorsFile.Open(SharedFiles.Require($"fixtures/gguf/{Path.ChangeExtension(file, ".expected.safetensors")}"));
        using var gguf = GgufFile.Open(path);
        foreach ((string key, Tensor reference) in expected.Tensors)
        {
            (string kind, string name) = key.IndexOf('.', StringComparison.Ordinal) is var dot && dot > 0 ? (key[..dot], key[(dot + 1)..]) : (key, "");
            if (kind is not ("dequant" or "sums"))
            {
                continue;
            }

            if (gguf.UnsupportedTensors.ContainsKey(name))
            {
                Assert.Contains(name, Assert.Throws<TensorFileException>(() => gguf.GetTensor(name)).Message, StringComparison.Ordinal);
                continue;
            }

            float[] values = gguf.GetTensor(name).ToFloats();
            if (kind == "dequant")
            {
                Assert.Equal(reference.ToFloats(), values[..(int)reference.ElementCount]);
            }
            else
            {
                float[] sums = reference.ToFloats();
                AssertClose(sums[0], values.Sum(value => (double)value), values.Sum(value => Math.Abs((double)value)));
                AssertClose(sums[1], values.Sum(value => (double)value * value), sums[1]);
            }
        }
    }

    private static void AssertClose(double expected, double actual, double scale) =>
        Assert.True(Math.Abs(expected - actual) <= 1e-6 * Math.Max(scale, 1e-6), $"{actual} is not {expected}");
}
