using LoraServe.Compute.Memory;
using LoraServe.Compute.Workers;
using LoraServe.Grammars;
using LoraServe.Models.Forward;
using LoraServe.Serving.Requests;
using LoraServe.Serving.Sampling;

namespace LoraServe.Serving.Tests.Sampling;

public sealed unsafe class SamplerTests : IDisposable
{
    private readonly WorkerPool _pool = new(2);
    private readonly NativeBuffer _memory = new(64 * 128 * sizeof(float));

    public void Dispose()
    {
        _memory.Dispose();
        _pool.Dispose();
    }

    [Fact]
    public void Run_Greedy_TakesTheLowestIdOfTheGreatest() =>
        Assert.Equal(2, Sample(new SamplingOptions(), [0, 1, 3, 3, 2]).Token);

    [Fact]
    public void Run_NotANumber_SaysSo() =>
        Assert.Equal(-1, Sample(new SamplingOptions(), [0, 1, float.NaN, 3]).Token);

    [Fact]
    public void Run_TopK_DrawsOnlyFromTheMostLikely() =>
        Assert.Equal([1, 3], Drawn(new SamplingOptions { Temperature = 5, TopK = 2 }, [0, 4, 1, 3, 2]));

    [Fact]
    public void Run_TopP_DrawsFromTheSmallestSetThatReachesIt() =>
        Assert.Equal([1, 3], Drawn(new SamplingOptions { Temperature = 1, TopP = 0.75f }, Logs(0.05f, 0.5f, 0.1f, 0.3f, 0.05f)));

    [Fact]
    public void Run_TopPOverAFlatDistribution_KeepsEnough() =>
        Assert.Equal(90, Drawn(new SamplingOptions { Temperature = 1, TopP = 0.9f }, new float[100], draws: 5000).Length);

    [Fact]
    public void Run_MinP_DropsTheUnlikely() =>
        Assert.Equal([1, 3], Drawn(new SamplingOptions { Temperature = 1, MinP = 0.5f }, Logs(0.05f, 0.5f, 0.1f, 0.3f, 0.05f)));

    [Fact]
    public void Run_Temperature_DrawsByProbability()
    {
        int[] counts = new int[3];
        for (int seed = 0; seed < 4000; seed++)
        {
            counts[Sample(new SamplingOptions { Temperature = 1, Seed = (ulong)seed }, Logs(0.2f, 0.5f, 0.3f)).Token]++;
        }

        Assert.InRange(counts[0], 650, 950);
        Assert.InRange(counts[1], 1800, 2200);
        Assert.InRange(counts[2], 1050, 1350);
    }

    [Fact]
    public void Run_Penalties_ConcernWhatWasSaid()
    {
        Assert.Equal(1, Sample(new SamplingOptions { RepetitionPenalty = 2 }, [3, 2, 0, 0], prompt: [0]).Token);
        Assert.Equal(0, Sample(new SamplingOptions { PresencePenalty = 2 }, [3, 2, 0, 0], prompt: [0]).Token);
        Assert.Equal(1, Sample(new SamplingOptions { PresencePenalty = 1.5f }, [3, 2, 0, 0], prompt: [3], answer: [0]).Token);
        Assert.Equal(0, Sample(new SamplingOptions { FrequencyPenalty = 0.6f }, [3, 2, 0, 0], prompt: [3], answer: [0]).Token);
        Assert.Equal(1, Sample(new SamplingOptions { FrequencyPenalty = 0.6f }, [3, 2, 0, 0], prompt: [3], answer: [0, 0]).Token);
    }

    [Fact]
    public void Run_BiasAndMinTokens_ChangeTheChoice()
    {
        Assert.Equal(2, Sample(new SamplingOptions { LogitBias = new Dictionary<int, float> { [2] = 100 } }, [3, 2, 0]).Token);
        Assert.Equal(1, Sample(new SamplingOptions { MinTokens = 2, StopTokenIds = [0] }, [3, 2, 0]).Token);
        Assert.Equal(0, Sample(new SamplingOptions { MinTokens = 2, StopTokenIds = [0] }, [3, 2, 0], answer: [1, 1]).Token);
    }

    [Fact]
    public void Run_LogProbabilities_AreTheModelsOwn()
    {
        SampleSlot slot = Sample(new SamplingOptions { LogProbabilities = 2, Temperature = 0, LogitBias = new Dictionary<int, float> { [0] = 50 } }, Logs(0.2f, 0.5f, 0.3f));
        Assert.Equal(0, slot.Token);
        Assert.Equal(MathF.Log(0.2f), slot.LogProbability, 1e-5f);
        Assert.Equal([1, 2], slot.Top!.Select(top => top.TokenId));
        Assert.Equal(MathF.Log(0.5f), slot.Top![0].LogProbability, 1e-5f);
    }

    [Fact]
    public void Run_SameSeedInOtherCompany_DrawsTheSame()
    {
        var random = new Random(1);
        float[][] rows = [.. Enumerable.Range(0, 9).Select(_ => Enumerable.Range(0, 50).Select(_ => random.NextSingle() * 4).ToArray())];
        var options = new SamplingOptions { Temperature = 0.8f, TopP = 0.9f, Seed = 5 };
        int alone = Sample(options, rows[4]).Token;
        SampleSlot[] slots = [.. rows.Select((_, row) => Slot(options, 50, [1], [], row))];
        using var sampler = new Sampler(_pool, 50);
        sampler.Run(new HostLogits().Of(Fill(rows)), slots);
        Assert.Equal(alone, slots[4].Token);
    }

    public static TheoryData<string, SamplingOptions, bool> OnDevice => new()
    {
        { "greedy", new SamplingOptions(), true },
        { "greedy with log-probabilities", new SamplingOptions { LogProbabilities = 5 }, true },
        { "any token", new SamplingOptions { Temperature = 0.7f }, true },
        { "any token with log-probabilities", new SamplingOptions { Temperature = 1.5f, LogProbabilities = 3 }, true },
        { "top-k", new SamplingOptions { Temperature = 2, TopK = 7 }, true },
        { "top-k and top-p", new SamplingOptions { Temperature = 2, TopK = 40, TopP = 0.6f, LogProbabilities = 2 }, true },
        { "top-k of all", new SamplingOptions { Temperature = 2, TopK = 1000 }, true },
        { "more than are asked for", new SamplingOptions { Temperature = 2, TopK = 300 }, false },
        { "top-p", new SamplingOptions { Temperature = 0.3f, TopP = 0.9f }, true },
        { "top-p over more than are asked for", new SamplingOptions { Temperature = 50, TopP = 0.95f }, false },
        { "min-p", new SamplingOptions { Temperature = 0.5f, MinP = 0.1f }, true },
        { "min-p over more than are asked for", new SamplingOptions { Temperature = 50, MinP = 0.1f }, false },
        { "penalties", new SamplingOptions { Temperature = 1, RepetitionPenalty = 1.3f, TopK = 5 }, false },
    };

    [Theory]
    [MemberData(nameof(OnDevice))]
    public void Run_LogitsOnADevice_ChoosesTheSame_AndReadsRowsOnlyWhereItMust(string what, SamplingOptions options, bool stays)
    {
        const int Vocabulary = 400;
        var random = new Random(3);
        float[][] rows = [.. Enumerable.Range(0, 16).Select(_ => Enumerable.Range(0, Vocabulary).Select(_ => random.NextSingle() * 12).ToArray())];
        rows[3][100] = float.NaN;
        using var memory = new NativeBuffer(32L * Vocabulary * sizeof(float));
        Rows all = Fill(memory, 0, rows);
        SampleSlot[] Slots() => [.. rows.Select((_, row) => Slot(options with { Seed = (ulong)row }, Vocabulary, [1, 5], [9], row))];
        (SampleSlot[] here, SampleSlot[] there) = (Slots(), Slots());
        using var sampler = new Sampler(_pool, Vocabulary);
        sampler.Run(new HostLogits().Of(all), here);
        var device = new PlainDeviceLogits(all, wanted => Fill(memory, 16, [.. wanted.Select(row => rows[row])]));
        sampler.Run(device, there);

        Assert.All(here.Zip(there), pair =>
        {
            (SampleSlot one, SampleSlot two) = pair;
            Assert.Equal((what, one.Row, one.Token), (what, two.Row, two.Token));
            Assert.Equal(one.LogProbability, two.LogProbability, 1e-4f);
            Assert.Equal(one.Top?.Select(top => top.TokenId), two.Top?.Select(top => top.TokenId));
        });
        Assert.Equal(-1, there[3].Token);
        Assert.Equal(stays, device.Gathered.Count == 0);
    }

    private static Rows Fill(NativeBuffer memory, int first, float[][] rows)
    {
        int width = rows[0].Length;
        var view = new Rows((nint)((float*)memory.Pointer + (first * width)), rows.Length, width, width);
        for (int i = 0; i < rows.Length; i++)
        {
            rows[i].CopyTo(view.Span(i));
        }

        return view;
    }

    private static float[] Logs(params float[] probabilities) => Array.ConvertAll(probabilities, MathF.Log);

    private int[] Drawn(SamplingOptions options, float[] logits, int draws = 500) =>
        [.. Enumerable.Range(0, draws).Select(seed => Sample(options with { Seed = (ulong)seed }, logits).Token).Distinct().Order()];

    private SampleSlot Sample(SamplingOptions options, float[] logits, int[]? prompt = null, int[]? answer = null)
    {
        SampleSlot[] slots = [Slot(options, logits.Length, prompt ?? [1], answer ?? [], row: 0)];
        using var sampler = new Sampler(_pool, logits.Length);
        sampler.Run(new HostLogits().Of(Fill(logits)), slots);
        return slots[0];
    }

    private static SampleSlot Slot(SamplingOptions options, int vocabulary, int[] prompt, int[] answer, int row)
    {
        var plan = new SamplingPlan(options, [], vocabulary, options.Seed ?? 1, maxTokens: 100);
        return new SampleSlot { Answer = new Answer(plan, prompt, answer), Row = row };
    }

    private Rows Fill(params float[][] rows) => Fill(_memory, 0, rows);

    private sealed class Answer(SamplingPlan sampling, int[] prompt, int[] answer) : IAnswer
    {
        private readonly int[] _tokens = [.. prompt, .. answer];

        public SamplingPlan Sampling => sampling;

        public GrammarMatcher? Matcher => null;

        public int Choice => 0;

        public ReadOnlySpan<int> Tokens => _tokens;

        public int VirtualRows => 0;

        public int PromptLength => prompt.Length;

        public int GeneratedCount => answer.Length;
    }
}
