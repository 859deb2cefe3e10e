using LoraServe.Testing;

namespace LoraServe.Cli.Tests.Verbs;

/// <summary>Logits as <c>loraserve logits</c> writes them, held against those of a file.</summary>
internal static class FieldLogits
{
    private const float Tolerance = 1e-3f;

    /// <summary>Computes logits in exact arithmetic.</summary>
    /// <param name="model">The model.</param>
    /// <param name="tokens">A file with sequences of tokens.</param>
    /// <param name="expected">A file with what must come out.</param>
    /// <param name="adapter">The adapter; null for the base alone.</param>
    /// <returns>What the command said on standard error.</returns>
    public static async Task<string> AssertAsync(string model, string tokens, string expected, string? adapter = null)
    {
        using var folder = new TemporaryDirectory();
        string[] applied = adapter is null ? [] : ["--adapter", adapter];
        CommandRun run = await CommandRun.SuccessAsync(["logits", "--model", model, "--arithmetic", "exact", "--tokens", tokens, "--out", folder.File("logits.safetensors"), .. applied]);

        using var actual = new Golden(folder.File("logits.safetensors"));
        using var golden = new Golden(expected);
        int[] sequences = [.. golden.Indices(Name)];
        Assert.NotEmpty(sequences);
        Assert.All(sequences, sequence => Assert.InRange(Golden.LargestDifference([actual.Floats(Name(sequence))], golden.Floats(Name(sequence))), 0, Tolerance));
        return run.Error;

        static string Name(int sequence) => $"logits.{sequence}";
    }
}
