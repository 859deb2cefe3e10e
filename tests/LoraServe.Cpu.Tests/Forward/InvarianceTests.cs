using LoraServe.Adapters.Edits;
using LoraServe.Compute;
using LoraServe.Compute.Tensors;
using LoraServe.Models;
using LoraServe.Models.Forward;
using LoraServe.Testing;

namespace LoraServe.Cpu.Tests.Forward;

/// <summary>A row's result is the same bits whatever else runs, however prompts are cut, wherever pages lie, however many workers there are.</summary>
public class InvarianceTests
{
    [Theory]
    [InlineData(ElementType.F32, Arithmetic.Exact, ElementType.F32, 1)]
    [InlineData(ElementType.F32, Arithmetic.Exact, ElementType.F16, 2)]
    [InlineData(ElementType.Q8_0, Arithmetic.Exact, ElementType.F32, 3)]
    [InlineData(ElementType.Q8_0, Arithmetic.Fast, ElementType.F32, 2)]
    [InlineData(ElementType.Q4_0, Arithmetic.Fast, ElementType.F16, 3)]
    [InlineData(ElementType.Q4_1, Arithmetic.Fast, ElementType.F32, 1)]
    [InlineData(ElementType.Q4_1, Arithmetic.Fast, ElementType.F16, 3)]
    public void Forward_RandomBatchesChunksPagesWorkers_EqualsEachSequenceAloneBitForBit(
        ElementType type, Arithmetic arithmetic, ElementType cache, int workers)
    {
        using Transformer model = TinyModel.Create(seed: 1, arithmetic, type);
        using ResidentAdapter a = TinyModel.CreateResident(model, seed: 2, rank: 3);
        using ResidentAdapter b = TinyModel.CreateResident(model, seed: 3, rank: 17);
        using ResidentAdapter c = TinyModel.CreateResident(model, seed: 4, rank: 8, scaled: true);
        using ResidentAdapter scales = TinyEdits.Scales(model, seed: 5);
        using ResidentAdapter shared = TinyEdits.Shared(model, seed: 6, rank: 11);
        using ResidentAdapter bottlenecks = TinyEdits.Bottlenecks(model, seed: 7, BottleneckInput.Sum);
        using ResidentAdapter normed = TinyEdits.Bottlenecks(model, seed: 8, BottleneckInput.Residual, Activation.Gelu, normCoversSublayer: false);
        using ResidentAdapter prompt = TinyEdits.VirtualTokens(model, seed: 9, count: 5);
        using ResidentAdapter prefix = TinyEdits.Prefix(model, seed: 10, count: 20);
        using ResidentAdapter prompts = TinyEdits.Prompts(model, seed: 12, count: 7);
        using Transformer other = TinyModel.Create(seed: 11);
        using ResidentAdapter replaced = model.Place(TinyEdits.Replacements(other));
        AdapterUse[][] stacks =
        [
            [new(replaced)],
            [new(c, 0.5f), new(replaced, 1, ActiveFrom: 7), new(b)],
            [],
            [new(a)],
            [new(b, 0.5f)],
            [new(c)],
            [new(a, 0.75f), new(c, 0.25f)],
            [new(c), new(b), new(a)],
            [new(b, 1, ActiveFrom: 13)],
            [new(scales)],
            [new(scales, 0.5f), new(shared)],
            [new(shared, 0.25f), new(a)],
            [new(bottlenecks, 1, ActiveFrom: 9)],
            [new(bottlenecks, 0.5f), new(normed)],
            [new(prompt)],
            [new(prefix)],
            [new(prompts)],
            [new(prompts, 0.5f, ActiveFrom: 6), new(a)],
            [new(c), new(prefix, 0.5f), new(bottlenecks), new(prompt), new(prompts)],
        ];
        using var alone = new ForwardHarness(model, cache: cache);
        for (int seed = 0; seed < 10; seed++)
        {
            var random = new Random(seed);
            using var mixed = new ForwardHarness(model, workers, pageCount: 128, cache, shuffleSeed: seed);
            TestSequence[] sequences = [.. Enumerable.Range(0, random.Next(2, 11)).Select(_ => new TestSequence(
                TinyModel.Tokens(random.Next(), random.Next(1, 70), model.VocabularySize), stacks[random.Next(stacks.Length)]))];
            RunInRandomSteps(mixed, sequences, random);
            foreach (TestSequence sequence in sequences)
            {
                Assert.Equal(alone.Logits(sequence.Text, sequence.Adapters), sequence.TextLogits);
            }
        }
    }

    [Theory]
    [InlineData(1, ElementType.F32)]
    [InlineData(2, ElementType.F16)]
    [InlineData(5, ElementType.F16)]
    public void Forward_LongSequenceOnAnyNumberOfWorkers_GivesTheSameBits(int workers, ElementType cache)
    {
        // Several ranges of positions, which workers share among them for a single row but not for a long prompt.
        using Transformer model = TinyModel.Create(seed: 9);
        using var whole = new ForwardHarness(model, cache: cache);
        int[] tokens = TinyModel.Tokens(10, 770, model.VocabularySize);
        float[][] expected = whole.Logits(tokens);
        using var stepwise = new ForwardHarness(model, workers, cache: cache, shuffleSeed: 3);
        var sequence = new TestSequence(tokens, []);
        foreach (int count in (ReadOnlySpan<int>)[500, 11, 1, 1, 1, 240, 7, 5, 1, 1, 1, 1])
        {
            stepwise.Batch.Clear();
            stepwise.Add(sequence, count, SegmentOutput.AllLogits);
            stepwise.Step();
        }

        Assert.Equal(expected, sequence.Logits);
    }

    [Fact]
    public void Forward_OnceWarm_AllocatesNothing()
    {
        using Transformer model = TinyModel.Create(seed: 7, Arithmetic.Fast, ElementType.Q4_1);
        using ResidentAdapter adapter = TinyModel.CreateResident(model, seed: 8, rank: 4, scaled: true);
        using var pool = new Compute.Workers.WorkerPool(2);
        using IStepRunner runner = model.CreateRunner(pool, 8, ElementType.F16);
        var batch = new TokenBatch();
        ReadOnlySpan<int> pageIds = [3, 1, 4, 5];
        ReadOnlySpan<int> otherIds = [6, 2];
        ReadOnlySpan<int> freshIds = [7];
        using ResidentAdapter scales = TinyEdits.Scales(model, seed: 9);
        using ResidentAdapter shared = TinyEdits.Shared(model, seed: 10, rank: 5);
        using ResidentAdapter bottlenecks = TinyEdits.Bottlenecks(model, seed: 11, BottleneckInput.Sum);
        using ResidentAdapter prefix = TinyEdits.Prefix(model, seed: 12, count: 2);
        using ResidentAdapter prompts = TinyEdits.Prompts(model, seed: 13, count: 3);
        ReadOnlySpan<AdapterUse> uses = [new(adapter)];
        ReadOnlySpan<AdapterUse> otherUses = [new(scales), new(shared), new(bottlenecks), new(prefix), new(prompts)];
        long before = 0;
        for (int step = 0; step < 40; step++)
        {
            if (step == 8)
            {
                before = GC.GetAllocatedBytesForCurrentThread();
            }

            batch.Clear();
            batch.Add(new SegmentRequest { Tokens = [step], FirstPosition = step, Pages = pageIds, Adapters = uses, Output = SegmentOutput.LastLogits });
            batch.Add(new SegmentRequest { Tokens = [step], FirstPosition = 9, Pages = otherIds, Adapters = otherUses, Output = SegmentOutput.LastLogits });
            batch.Add(new SegmentRequest { Tokens = [-1, -2, step], Pages = freshIds, Adapters = otherUses, Output = SegmentOutput.LastLogits });
            batch.Add(new SegmentRequest { Tokens = [step, 7, 9], FirstPosition = 4, Pages = otherIds, Output = SegmentOutput.AllLogits });
            runner.Forward(batch);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static void RunInRandomSteps(ForwardHarness harness, TestSequence[] sequences, Random random)
    {
        while (sequences.Any(sequence => sequence.Done < sequence.Tokens.Length))
        {
            harness.Batch.Clear();
            foreach (TestSequence sequence in sequences)
            {
                int left = sequence.Tokens.Length - sequence.Done;
                int count = random.Next(3) switch { 0 => 0, 1 => Math.Min(1, left), _ => random.Next(left + 1) };
                if (count > 0)
                {
                    harness.Add(sequence, count, SegmentOutput.AllLogits);
                }
            }

            if (harness.Batch.RowCount > 0)
            {
                harness.Step();
            }
        }
    }
}
