using LoraServe.Compute.Tensors;
using LoraServe.Compute.Workers;
using LoraServe.Models;
using LoraServe.Models.Forward;
using LoraServe.Testing;

namespace LoraServe.Torch.Tests.Forward;

/// <summary>Steps leave nothing behind, also those that fail.</summary>
public sealed class TorchRunnerTests
{
    [SkippableFact]
    public void Forward_BFloat16_StaysNearFloat32()
    {
        using Transformer exact = TinyModel.Create(3, device: OpenTorch.With());
        using Transformer rough = TinyModel.Create(3, device: OpenTorch.With(new TorchDeviceOptions { Type = TorchType.BFloat16 }));
        float[][] expected = OpenTorch.Logits(exact);
        Assert.InRange(OpenTorch.Difference(expected, OpenTorch.Logits(rough)), 1e-6f, 0.1f * expected.Max(row => row.Max(MathF.Abs)));
    }

    [SkippableFact]
    public void Forward_HundredsOfSteps_LeaveNoTensorBehind() => Check(steps: 300);

    [SkippableFact]
    [Trait("Category", "Long")]
    public void Forward_TenThousandSteps_LeaveNoTensorBehind() => Check(steps: 10_000);

    [SkippableFact]
    public void Forward_StepThatFails_LeavesNothing_AndTheNextGivesTheSameBits()
    {
        using Transformer model = TinyModel.Create(3, device: OpenTorch.With());
        using var pool = new WorkerPool(1);
        using IStepRunner runner = model.CreateRunner(pool, 8, ElementType.F32);
        float[] before = Run(runner, model, []);
        long tensors = Tensor.TotalCount;

        // A page that is not there: what goes wrong on the device amid a step.
        Assert.ThrowsAny<InvalidOperationException>(() => Run(runner, model, [], page: 1 << 20));
        Assert.Equal(tensors, Tensor.TotalCount);
        Assert.Equal(before, Run(runner, model, []));
    }

    private static void Check(int steps)
    {
        using Transformer model = TinyModel.Create(3, device: OpenTorch.With());
        using var pool = new WorkerPool(1);
        using IStepRunner runner = model.CreateRunner(pool, 8, ElementType.F32);
        long before = 0;
        float[] first = [];
        for (int step = 0; step < steps; step++)
        {
            using ResidentAdapter adapter = TinyModel.CreateResident(model, seed: 4, rank: 3, scaled: true);
            float[] logits = Run(runner, model, [new AdapterUse(adapter, 0.5f)]);
            if (step == 5)
            {
                (before, first) = (Tensor.TotalCount, logits);
            }
        }

        using (ResidentAdapter adapter = TinyModel.CreateResident(model, seed: 4, rank: 3, scaled: true))
        {
            Assert.Equal(first, Run(runner, model, [new AdapterUse(adapter, 0.5f)]));
            Assert.Equal(before, Tensor.TotalCount);
        }
    }

    private static float[] Run(IStepRunner runner, Transformer model, AdapterUse[] uses, int page = 0)
    {
        var batch = new TokenBatch();
        batch.Add(new SegmentRequest
        {
            Tokens = TinyModel.Tokens(4, 9, model.VocabularySize),
            Pages = [page],
            PromptLength = 9,
            Adapters = uses,
            Output = SegmentOutput.AllLogits,
        });
        Compute.Memory.Rows logits = runner.Forward(batch).Rows;
        return [.. Enumerable.Range(0, logits.Count).SelectMany(row => logits.Span(row).ToArray())];
    }
}
