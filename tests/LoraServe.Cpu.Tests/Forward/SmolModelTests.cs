using LoraServe.Compute;
using LoraServe.Models;
using LoraServe.Testing;
using Xunit.Abstractions;

namespace LoraServe.Cpu.Tests.Forward;

/// <summary>The real model: logits, greedy text and loss as transformers computes them on the dequantised weights.</summary>
[Trait("Category", "RealModel")]
public class SmolModelTests(ITestOutputHelper output)
{
    private const string ModelFile = "models/smollm2-135m-instruct-q4_1.gguf";
    private const string GoldenFile = "fixtures/gguf/smollm2.expected.safetensors";

    [SkippableFact]
    public void Forward_ExactArithmetic_GivesTheReferencesLogitsLossAndGreedyIds()
    {
        using var golden = new Golden(SharedFiles.Require(GoldenFile));
        using LoadedModel model = ModelLoader.Load(CpuDevice.Instance, SharedFiles.Require(ModelFile), new ModelLoadOptions { Arithmetic = Arithmetic.Exact });
        using var harness = new ForwardHarness(model.Transformer, workers: 2);
        foreach (int i in golden.Indices(i => $"prompt_{i}.input_ids"))
        {
            int[] prompt = golden.Ids($"prompt_{i}.input_ids");
            float[][] logits = harness.Logits(prompt);
            float difference = Golden.LargestDifference([logits[^1]], golden.Floats($"prompt_{i}.last_logits"));
            output.WriteLine($"prompt {i}: largest difference {difference:e1}");
            Assert.InRange(difference, 0, 2e-4f);
            int[] ids = golden.Ids($"prompt_{i}.greedy_ids");
            Assert.Equal(ids, harness.Greedy(prompt, ids.Length));
        }

        double loss = Loss(harness, golden.Ids("nll.input_ids"));
        output.WriteLine($"loss {loss}, reference {golden.Number("nll.mean")}");
        Assert.Equal(golden.Number("nll.mean"), loss, 1e-5);
    }

    [SkippableFact]
    public void Forward_FastArithmetic_LosesLessThanOnePercent()
    {
        using var golden = new Golden(SharedFiles.Require(GoldenFile));
        using LoadedModel model = ModelLoader.Load(CpuDevice.Instance, SharedFiles.Require(ModelFile), new ModelLoadOptions { Arithmetic = Arithmetic.Fast });
        using var harness = new ForwardHarness(model.Transformer, workers: 2);
        double expected = golden.Number("nll.mean");
        double loss = Loss(harness, golden.Ids("nll.input_ids"));
        output.WriteLine($"loss {loss}, reference {expected}: {(loss / expected) - 1:p3}");
        Assert.InRange(loss / expected, 0.99, 1.01);
    }

    private static double Loss(ForwardHarness harness, int[] tokens)
    {
        float[][] logits = harness.Logits(tokens);
        double sum = 0;
        for (int t = 1; t < tokens.Length; t++)
        {
            float[] row = logits[t - 1];
            double largest = row.Max();
            sum += largest + Math.Log(row.Sum(value => Math.Exp(value - largest))) - row[tokens[t]];
        }

        return sum / (tokens.Length - 1);
    }
}
