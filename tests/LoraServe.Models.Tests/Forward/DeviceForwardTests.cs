using LoraServe.Adapters.Edits;
using LoraServe.Compute.Memory;
using LoraServe.Compute.Tensors;
using LoraServe.Compute.Workers;
using LoraServe.Models.Forward;
using LoraServe.Testing;

namespace LoraServe.Models.Tests.Forward;

/// <summary>What every device owes: the forward pass of any shape of model, with any adapters beside each other, against plain loops.</summary>
public sealed class DeviceForwardTests
{
    private const double Tolerance = 2e-4;

    [Theory]
    [MemberData(nameof(DeviceCases.All), MemberType = typeof(DeviceCases))]
    public void Forward_RaggedBatchOfAdapters_GivesThePlainLogits(string device, string shape)
    {
        using Transformer model = DeviceCases.Create(device, shape);
        AdapterEdit[] first = LowRankAndNorms(model, seed: 1);
        AdapterEdit[] second = LowRankAndNorms(model, seed: 2);
        using ResidentAdapter one = model.Place(first);
        using ResidentAdapter two = model.Place(second);

        // The first adapter in two segments apart, none, a stack, weights of nothing and below it; one row, and more than a page.
        (int Count, (AdapterEdit[] Edits, AdapterUse Use)[] Adapters)[] segments =
        [
            (5, [(first, new AdapterUse(one))]),
            (1, []),
            (37, [(first, new AdapterUse(one, -0.5f)), (second, new AdapterUse(two, 0.7f))]),
            (3, [(second, new AdapterUse(two, 0))]),
            (18, [(first, new AdapterUse(one))]),
        ];
        using var pool = new WorkerPool(2);
        using IStepRunner runner = model.CreateRunner(pool, segments.Sum(segment => KvPage.Count(segment.Count)), ElementType.F32);
        var batch = new TokenBatch();
        int page = 0;
        var tokens = new List<int[]>();
        foreach ((int count, (AdapterEdit[], AdapterUse Use)[] adapters) in segments)
        {
            tokens.Add(TinyModel.Tokens(count, count, model.VocabularySize));
            batch.Add(new SegmentRequest
            {
                Tokens = tokens[^1],
                Pages = Enumerable.Range(page, KvPage.Count(count)).ToArray(),
                PromptLength = count,
                Adapters = adapters.Select(entry => entry.Use).ToArray(),
                Output = SegmentOutput.AllLogits,
            });
            page += KvPage.Count(count);
        }

        Rows logits = runner.Forward(batch);
        int row = 0;
        foreach ((int[] prompt, var segment) in tokens.Zip(segments))
        {
            double[][] expected = new PlainForward(model, [.. segment.Adapters.Select(entry => (entry.Edits, (double)entry.Use.Weight))]).Logits(prompt);
            foreach (double[] line in expected)
            {
                float[] actual = logits.Span(row++).ToArray();
                double scale = line.Max(Math.Abs);
                Assert.All(line.Zip(actual), pair => Assert.InRange(Math.Abs(pair.First - pair.Second), 0, Tolerance * scale));
            }
        }
    }

    [SkippableTheory]
    [MemberData(nameof(DeviceCases.All), MemberType = typeof(DeviceCases))]
    public void Forward_OnADeviceThatPromisesIt_DoesNotDependOnTheBatch(string device, string shape)
    {
        using Transformer model = DeviceCases.Create(device, shape);
        Skip.IfNot(model.IsBatchInvariant, $"{device} does not promise it.");
        using ResidentAdapter adapter = model.Place(LowRankAndNorms(model, seed: 1));
        int[] prompt = TinyModel.Tokens(4, 21, model.VocabularySize);
        using var pool = new WorkerPool(2);
        using var alone = new SingleSequence(model, pool, prompt.Length, adapter);
        alone.Begin(prompt);
        float[] whole = alone.Advance(prompt, SegmentOutput.LastLogits).Span(0).ToArray();
        alone.Begin(prompt);
        alone.Advance(prompt.AsSpan(0, 9), SegmentOutput.None);
        Assert.Equal(whole, alone.Advance(prompt.AsSpan(9), SegmentOutput.LastLogits).Span(0).ToArray());
    }

    private static AdapterEdit[] LowRankAndNorms(Transformer model, int seed) =>
        [.. TinyModel.CreateAdapter(model, seed, rank: 3, scaled: true).Edits.Where(edit => edit is LowRank or NormDelta)];
}
