using LoraServe.Compute.Files;
using LoraServe.Testing.Plain;

namespace LoraServe.Adapters.Tests.Reference;

/// <summary>Compares a pass with the logits and greedy ids that the reference library recorded.</summary>
internal static class GoldenLogits
{
    private const float Tolerance = 1e-3f;

    /// <summary>Checks every prompt of an <c>expected.safetensors</c>.</summary>
    public static void Check(PlainForward forward, string expectedPath, bool greedy, string logits = "logits", params PlainAdapter[] stack)
    {
        using SafetensorsFile expected = SafetensorsFile.Open(expectedPath);
        for (int i = 0; expected.Tensors.TryGetValue($"prompt.{i}", out var prompt); i++)
        {
            int[] tokens = [.. prompt.ToFloats().Select(value => (int)value)];
            CheckLogits(forward, stack, tokens, expected.Tensors[$"{logits}.{i}"].ToFloats(), $"{expectedPath} prompt {i}");
            if (greedy && expected.Tensors.TryGetValue($"greedy.{i}", out var ids))
            {
                CheckGreedy(forward, stack, tokens, [.. ids.ToFloats().Select(value => (int)value)], expectedPath);
            }
        }
    }

    /// <summary>Checks one prompt's logits, [tokens, vocabulary].</summary>
    public static void CheckLogits(PlainForward forward, PlainAdapter[] stack, int[] tokens, float[] expected, string what)
    {
        double[] logits = [.. forward.Logits(tokens, stack).SelectMany(row => row)];
        Assert.Equal(expected.Length, logits.Length);
        double worst = logits.Zip(expected, (a, b) => Math.Abs(a - b)).Max();
        Assert.True(worst <= Tolerance, $"{what}: logits differ by {worst}");
    }

    private static void CheckGreedy(PlainForward forward, PlainAdapter[] stack, int[] prompt, int[] expected, string what)
    {
        // Given the expected ids so far, each is the next one's argmax: one pass over all of them.
        double[][] logits = forward.Logits([.. prompt, .. expected[..^1]], prompt.Length, stack);
        for (int i = 0; i < expected.Length; i++)
        {
            double[] row = logits[prompt.Length - 1 + i];
            int best = Array.IndexOf(row, row.Max());
            Assert.True(best == expected[i], $"{what}: token {i} is {best}, expected {expected[i]}");
        }
    }
}
