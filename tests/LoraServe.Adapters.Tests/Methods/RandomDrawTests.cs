using System.Text.Json;
using LoraServe.Adapters.Methods.RandLora;
using LoraServe.Adapters.Methods.Reading;
using LoraServe.Adapters.Peft;
using LoraServe.Adapters.Tests.Reference;
using LoraServe.Compute.Files;
using LoraServe.Compute.Tensors;
using LoraServe.Testing.Plain;

namespace LoraServe.Adapters.Tests.Methods;

/// <summary>What methods draw from a seed instead of storing it is what PyTorch draws.</summary>
public sealed class RandomDrawTests
{
    private const string IndicesOf = "indices.";

    public static TheoryData<string> FourierCases() => PeftCases.Where(entry => entry.GetProperty("peft_type").GetString() == "FOURIERFT");

    public static TheoryData<string> RandLoraCases() => PeftCases.Where(entry => entry.GetProperty("peft_type").GetString() == "RANDLORA");

    [SkippableTheory]
    [MemberData(nameof(FourierCases))]
    public void FirstOfPermutation_SeedOfACaseOfTheReference_GivesItsFrequencies(string path)
    {
        using SafetensorsFile expected = SafetensorsFile.Open(PeftCases.Require($"{path}/expected.safetensors"));
        using var config = JsonDocument.Parse(File.ReadAllBytes(PeftCases.Require($"{path}/adapter_config.json")));
        Skip.IfNot(config.RootElement.TryGetProperty("random_loc_seed", out JsonElement seed), "There are no such cases.");
        PlainModel model = PeftCases.BaseOf(path);
        foreach (Tensor indices in expected.Tensors.Values.Where(tensor => tensor.Name.StartsWith(IndicesOf, StringComparison.Ordinal)))
        {
            BaseModule module = model.Modules.Single(module => module.Path == indices.Name[IndicesOf.Length..]);
            int count = (int)indices.Shape[1];
            int[] places = new TorchGenerator(seed.GetUInt64()).FirstOfPermutation(module.Outputs * module.Inputs, count);
            Assert.Equal<float>(indices.ToFloats(), (float[])[.. places.Select(place => (float)(place / module.Inputs)), .. places.Select(place => (float)(place % module.Inputs))]);
        }
    }

    [SkippableTheory]
    [MemberData(nameof(RandLoraCases))]
    public void Draw_SeedOfACaseOfTheReference_GivesItsBases(string path)
    {
        using SafetensorsFile weights = SafetensorsFile.Open(PeftCases.Require($"{path}/adapter_model.safetensors"));
        using SafetensorsFile expected = SafetensorsFile.Open(PeftCases.Require($"{path}/expected.safetensors"));
        using var document = JsonDocument.Parse(File.ReadAllBytes(PeftCases.Require($"{path}/adapter_config.json")));
        Skip.IfNot(document.RootElement.GetProperty("peft_type").GetString() == "RANDLORA", "There are no such cases.");
        Tensor Find(string name) => expected.Tensors.TryGetValue($"shared.{name}", out Tensor? shared) ? shared : weights.Tensors[$"base_model.{name}"];
        (Tensor a, Tensor b) = (Find(RandLoraBases.NameOfA), Find(RandLoraBases.NameOfB));

        RandLoraBases bases = RandLoraBases.Draw(RandLoraConfig.Read(new ConfigFields("config", document.RootElement, [])), (int)a.Shape[2], (int)b.Shape[0]);

        Assert.Equal(a.ToFloats(), bases.A.Values);
        Assert.Equal(b.ToFloats(), bases.B.Values);
    }

    /// <summary>The first of torch.randperm(4096) after manual_seed(777).</summary>
    [Fact]
    public void FirstOfPermutation_KnownSeed_BeginsAsPyTorchs() => Assert.Equal(Known, new TorchGenerator(777).FirstOfPermutation(4096, 8));

    [Fact]
    public void FirstOfPermutation_OfAll_HasEachOnce() => Assert.Equal(Enumerable.Range(0, 50), new TorchGenerator(3).FirstOfPermutation(50, 50).Order());

    [Theory]
    [InlineData(1.00390625f, 1f)]
    [InlineData(1.01171875f, 1.015625f)]
    [InlineData(-0.1f, -0.10009765625f)]
    public void RoundToBFloat16_AnyNumber_IsTheNearestEvenOne(float value, float expected) => Assert.Equal(expected, TorchGenerator.RoundToBFloat16(value));

    private static int[] Known => [2151, 945, 3161, 4091, 1983, 1566, 3683, 2858];
}
