using System.Text.Json;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Methods.Reading;
using LoraServe.Adapters.Methods.Vera;
using LoraServe.Adapters.Peft;
using LoraServe.Adapters.Tests.Reference;
using LoraServe.Compute.Files;

namespace LoraServe.Adapters.Tests.Methods.Vera;

public sealed class VeraTests
{
    public static TheoryData<string> Cases() => PeftCases.Where(entry => entry.GetProperty("peft_type").GetString() == "VERA");

    [SkippableTheory]
    [MemberData(nameof(Cases))]
    public void Projections_SeedOfACaseOfTheReference_AreItsBits(string path)
    {
        string directory = PeftCases.Require(path);
        using SafetensorsFile expected = SafetensorsFile.Open(Path.Combine(directory, "expected.safetensors"));
        Skip.IfNot(expected.Tensors.ContainsKey("shared.vera_A"), "The projections are in the adapter's file.");
        using var config = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(directory, "adapter_config.json")));
        (var a, var b) = (expected.Tensors["shared.vera_A"], expected.Tensors["shared.vera_B"]);
        (SharedMatrix drawnA, SharedMatrix drawnB) = VeraReader.Projections(VeraConfig.Read(new ConfigFields("config", config.RootElement, [])), (int)a.Shape[1], (int)b.Shape[0]);
        Assert.Equal(a.Shape[0], drawnA.Values.Rows);
        Assert.Equal(a.ToFloats(), drawnA.Values.Values);
        Assert.Equal(b.ToFloats(), drawnB.Values.Values);
    }

    /// <summary>The generator that C++ calls mt19937: the 10,000th output after seed 5489 is 4123659995 (ISO/IEC 14882, [rand.predef]).</summary>
    [Fact]
    public void KaimingUniform_StandardSeed_FollowsTheStandardSequence()
    {
        float[] values = new TorchGenerator(5489).KaimingUniform(10_000, 6);
        float fraction = (4123659995 & ((1 << 24) - 1)) / (float)(1 << 24);
        Assert.Equal((fraction * 2) - 1, (double)values[9_999], 6);
        Assert.All(values, value => Assert.InRange(value, -1.000001, 1.000001));
    }
}
