using LoraServe.Compute;
using LoraServe.Compute.Files;
using LoraServe.Compute.Workers;
using LoraServe.Cpu;
using LoraServe.Models.Forward;
using LoraServe.Testing;

namespace LoraServe.Models.Tests;

public sealed class TransformerTests
{
    public static TheoryData<string> SharedGguf => [.. SharedFiles.Cases(SharedFiles.FileNames("fixtures/gguf", "*.gguf"))];

    [SkippableTheory]
    [MemberData(nameof(SharedGguf))]
    public void In_ExactOfAModelLoadedFast_ComputesTheBitsOfOneLoadedExact(string name)
    {
        string path = SharedFiles.Require($"fixtures/gguf/{name}");
        using (var file = GgufFile.Open(path))
        {
            Skip.If(file.UnsupportedTensors.Count > 0, "It has tensors that are not supported.");
        }

        CheckExactView(path);
    }

    [Fact]
    public void In_CommittedModel_ComputesTheSameBits() => CheckExactView(Repository.Fixture("models/llama-tied"));

    private static void CheckExactView(string path)
    {
        using LoadedModel exact = ModelLoader.Load(CpuDevice.Instance, path, new ModelLoadOptions { Arithmetic = Arithmetic.Exact });
        using LoadedModel fast = ModelLoader.Load(CpuDevice.Instance, path, new ModelLoadOptions { Arithmetic = Arithmetic.Fast });
        float[] before = Logits(fast);
        using (LoadedModel view = fast.In(Arithmetic.Exact))
        {
            Assert.Equal(Arithmetic.Exact, view.Transformer.Arithmetic);
            Assert.Equal(Logits(exact), Logits(view));
        }

        // Disposing the view has freed nothing.
        Assert.Equal(before, Logits(fast));
    }

    private static float[] Logits(LoadedModel model)
    {
        int[] tokens = [1, 2, 3, 4, 5];
        using var pool = new WorkerPool(1);
        using var sequence = new SingleSequence(model.Transformer, pool, tokens.Length);
        sequence.Begin(tokens);
        return sequence.Advance(tokens, SegmentOutput.LastLogits).Span(0).ToArray();
    }
}
