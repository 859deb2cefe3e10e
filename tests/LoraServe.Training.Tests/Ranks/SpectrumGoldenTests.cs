using System.Globalization;
using System.Text.Json;
using LoraServe.Adapters.Edits;
using LoraServe.Compute.Files;
using LoraServe.Compute.Tensors;
using LoraServe.Testing;
using LoraServe.Training.Ranks;

namespace LoraServe.Training.Tests.Ranks;

/// <summary>Singular values and energies of the reference: every matrix that its index lists, every threshold, both measures.</summary>
public sealed class SpectrumGoldenTests
{
    private const double Tolerance = 1e-6;

    [Fact]
    public void Of_MatricesOfTheRepository_HaveTheReferencesValuesEnergiesAndRanks() => Check(Repository.Fixture("rank"));

    [SkippableFact]
    public void Of_SharedMatrices_HaveTheReferencesValuesEnergiesAndRanks() => Check(SharedFiles.Require("fixtures/rank"));

    private static void Check(string folder)
    {
        using SafetensorsFile tensors = SafetensorsFile.Open(Path.Combine(folder, "matrices.safetensors"));
        using JsonDocument index = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "index.json")));
        JsonElement[] cases = [.. index.RootElement.GetProperty("cases").EnumerateArray()];
        Assert.NotEmpty(cases);
        foreach (JsonElement item in cases)
        {
            string name = item.GetProperty("name").GetString()!;
            Tensor matrix = tensors.Tensors[$"{name}.matrix"];
            var spectrum = Spectrum.Of(new FloatMatrix((int)matrix.Shape[0], (int)matrix.Shape[1], matrix.ToFloats()));
            CheckValues(name, spectrum, tensors);
            foreach (JsonProperty threshold in item.GetProperty("smallest_rank").EnumerateObject())
            {
                double share = double.Parse(threshold.Name, CultureInfo.InvariantCulture);
                Assert.Equal((name, share, Rank(threshold, "sum")), (name, share, spectrum.RankFor(share)));
                Assert.Equal((name, share, Rank(threshold, "sum_of_squares")), (name, share, spectrum.RankFor(share, EnergyMeasure.SumOfSquares)));
            }
        }
    }

    private static void CheckValues(string name, Spectrum spectrum, SafetensorsFile tensors)
    {
        double[] expected = Doubles(tensors, $"{name}.singular_values");
        double[] energy = Doubles(tensors, $"{name}.energy");
        double[] squared = Doubles(tensors, $"{name}.energy_squared");
        Assert.Equal(expected.Length, spectrum.SingularValues.Count);
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.Equal(expected[i], spectrum.SingularValues[i], Tolerance * expected[0]);
            Assert.Equal(energy[i], spectrum.Retained(i + 1), Tolerance);
            Assert.Equal(squared[i], spectrum.Retained(i + 1, EnergyMeasure.SumOfSquares), Tolerance);
        }
    }

    private static int Rank(JsonProperty threshold, string measure) => threshold.Value.GetProperty(measure).GetInt32();

    private static unsafe double[] Doubles(SafetensorsFile tensors, string name)
    {
        Tensor tensor = tensors.Tensors[name];
        return new ReadOnlySpan<double>((double*)tensor.Data, (int)tensor.ElementCount).ToArray();
    }
}
