using LoraServe.Adapters;
using LoraServe.Adapters.Edits;
using LoraServe.Compute;
using LoraServe.Cpu;
using LoraServe.Testing;

namespace LoraServe.Models.Tests.Loading;

/// <summary>Models of random weights, on every device.</summary>
public sealed class RandomSourceTests
{
    private const string Shape = "tiny";
    private const float Tolerance = 1e-3f;
    private static readonly ModelLoadOptions s_exact = new() { Arithmetic = Arithmetic.Exact };

    [SkippableTheory]
    [MemberData(nameof(Devices.Names), MemberType = typeof(Devices))]
    public void Random_SameSeed_IsTheSameModel(string device)
    {
        float[][] first = Logits(Devices.Named(device).Require(), seed: 1);

        Assert.All(first.SelectMany(row => row), logit => Assert.True(float.IsFinite(logit)));
        Assert.Equal(first, Logits(Devices.Named(device).Require(), seed: 1));
        Assert.NotEqual(first, Logits(Devices.Named(device).Require(), seed: 2));
    }

    [SkippableTheory]
    [MemberData(nameof(Devices.Names), MemberType = typeof(Devices))]
    public void Random_IsTheProcessorsModel(string device)
    {
        float[][] expected = Logits(CpuDevice.Instance, seed: 1);

        float[][] found = Logits(Devices.Named(device).Require(), seed: 1);

        Assert.All(expected.Zip(found), rows => Assert.All(rows.First.Zip(rows.Second), pair => Assert.InRange(pair.Second, pair.First - Tolerance, pair.First + Tolerance)));
    }

    [Fact]
    public void Random_NoTwoMatricesHaveTheSameRows()
    {
        using LoadedModel model = ModelLoader.Random(CpuDevice.Instance, Shape, seed: 1, s_exact);
        BaseModule[] modules = [.. model.Transformer.Modules.Where(module => module.Site != Site.Head)];

        string[] rows = [.. modules.SelectMany(module => Enumerable.Range(0, module.Outputs).Select(row => Row(model.Transformer, module, row)))];

        Assert.Equal(rows.Length, rows.Distinct().Count());
        Assert.Equal("random:tiny", model.Name);
        Assert.Null(model.Tokenizer);
    }

    [Fact]
    public void Random_UnknownShape_IsRefused() => Assert.Throws<ArgumentException>(() => ModelLoader.Random(CpuDevice.Instance, "huge", seed: 1));

    private static string Row(Transformer model, BaseModule module, int row)
    {
        float[] values = new float[module.Inputs];
        model.CopyWeightRow(module.Site, row, values);
        return string.Join(' ', values);
    }

    private static float[][] Logits(IDevice device, int seed)
    {
        using LoadedModel model = ModelLoader.Random(device, Shape, seed, s_exact);
        using var harness = new ForwardHarness(model.Transformer);
        return harness.Logits(TinyModel.Tokens(7, 29, model.Transformer.VocabularySize));
    }
}
