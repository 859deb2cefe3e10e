using System.Text.Json;
using LoraServe.Compute.Files;
using LoraServe.Compute.Tensors;
using LoraServe.Testing;
using LoraServe.Training.Losses;

namespace LoraServe.Training.Tests.Losses;

/// <summary>First losses of preference runs from the log-probabilities that they had.</summary>
public sealed class GoldenPreferenceTests
{
    private const double Tolerance = 2e-6;

    public static TheoryData<string> Direct => Folders("dpo");

    public static TheoryData<string> OddsRatio => Folders("orpo");

    public static TheoryData<string> KahnemanTversky => Folders("kto");

    [SkippableTheory]
    [MemberData(nameof(Direct))]
    public void DirectPreference_OfTheFirstStep_IsTheLossOfTheRun(string folder)
    {
        Golden golden = Golden.Load(folder);
        (float[] losses, int[] counts) = OneTokenEach(Interleaved(golden["chosen_logps"], golden["rejected_logps"]));
        double[] reference = Interleaved(golden["ref_chosen_logps"], golden["ref_rejected_logps"]);

        double loss = DirectPreferenceLoss.Run(new TokenLosses(losses, counts), reference, golden.Beta, counts.Length / 2, new float[losses.Length]);

        Assert.Equal(golden.Loss, loss, Tolerance);
    }

    [SkippableTheory]
    [MemberData(nameof(OddsRatio))]
    public void OddsRatio_OfTheFirstStep_IsTheLossOfTheRun(string folder)
    {
        Golden golden = Golden.Load(folder);
        double[] logProbabilities = Interleaved(golden["chosen_logps"], golden["rejected_logps"]);
        (float[] losses, int[] counts) = OneTokenEach(logProbabilities);
        int pairs = counts.Length / 2;

        // The chosen tokens' own term is replaced by the run's, which is over prompts as well.
        double chosen = -logProbabilities.Where((_, index) => index % 2 == 0).Average();
        double loss = OddsRatioLoss.Run(new TokenLosses(losses, counts), counts, golden.Beta, pairs, pairs, new float[losses.Length]) - chosen + golden["nll"][0];

        Assert.Equal(golden.Loss, loss, Tolerance);
    }

    [SkippableTheory]
    [MemberData(nameof(KahnemanTversky))]
    public void KahnemanTversky_OfTheFirstStep_IsTheLossOfTheRun(string folder)
    {
        Golden golden = Golden.Load(folder);
        double divergence = KahnemanTverskyLoss.Divergence(golden["kl_logps"], golden["ref_kl_logps"]);
        Assert.Equal(golden["kl"][0], divergence, Tolerance);

        // The run has all chosen rows before all rejected ones.
        (float[] losses, int[] counts) = OneTokenEach(FromHalves(golden["logps"]));
        double loss = KahnemanTverskyLoss.Run(new TokenLosses(losses, counts), FromHalves(golden["ref_logps"]), divergence, golden.Beta, counts.Length / 2, new float[losses.Length]);

        Assert.Equal(golden.Loss, loss, Tolerance);
    }

    private static TheoryData<string> Folders(string method) =>
    [
        .. SharedFiles.Cases(
            SharedFiles.FolderNames("fixtures/training").Where(name => SharedFiles.TryGet($"fixtures/training/{name}/case.json") is { } path
                && JsonElement.Parse(File.ReadAllText(path)).TryGetProperty("method", out JsonElement found) && found.GetString() == method)),
    ];

    private static (float[] Losses, int[] Counts) OneTokenEach(double[] logProbabilities) =>
        ([.. logProbabilities.Select(value => (float)-value)], [.. logProbabilities.Select(_ => 1)]);

    private static double[] FromHalves(double[] rows) => Interleaved(rows[..(rows.Length / 2)], rows[(rows.Length / 2)..]);

    private static double[] Interleaved(double[] chosen, double[] rejected) => [.. chosen.Zip(rejected).SelectMany(pair => new[] { pair.First, pair.Second })];

    private sealed record Golden(IReadOnlyDictionary<string, Tensor> Tensors, double Beta)
    {
        public double Loss => Tensors["losses"].ToFloats()[0];

        public double[] this[string name] => [.. Tensors[$"step0.{name}"].ToFloats().Select(value => (double)value)];

        public static Golden Load(string name)
        {
            string folder = SharedFiles.Require($"fixtures/training/{name}");
            string expected = Path.Combine(folder, "expected.safetensors");
            return new Golden(
                SafetensorsFile.Parse(File.ReadAllBytes(expected), expected).Tensors,
                JsonElement.Parse(File.ReadAllText(Path.Combine(folder, "case.json"))).GetProperty("beta").GetDouble());
        }
    }
}
