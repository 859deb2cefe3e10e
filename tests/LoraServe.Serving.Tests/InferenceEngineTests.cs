using System.Diagnostics.Metrics;
using LoraServe.Models;
using LoraServe.Serving.Metrics;
using LoraServe.Serving.Requests;
using LoraServe.Serving.Scheduling;
using LoraServe.Testing;

namespace LoraServe.Serving.Tests;

public class InferenceEngineTests
{
    private static readonly string[] s_adapters = ["", "one", "two", "three:0.5", "one+two:0.25", "prompt", "prefix+one", "scales:0.5", "two+prompt+prefix", "mixture", "one+spread:0.5"];

    [SkippableTheory]
    [MemberData(nameof(Devices.Names), MemberType = typeof(Devices))]
    public async Task GenerateAsync_ManyAtOnceOverFewPages_EqualsEachAlone(string device)
    {
        GenerationRequest[] requests = [.. Enumerable.Range(0, 24).Select(i => EngineHarness.Request(
            i % 7, 3 + (i * 5 % 60), s_adapters[i % s_adapters.Length], maxTokens: 5 + (i % 20),
            new SamplingOptions { Temperature = i % 3 == 0 ? 0 : 0.9f, TopP = 0.9f, Seed = (ulong)i, LogProbabilities = 2, Choices = 1 + (i % 2) }))];
        (int, int, float)[][] alone = new (int, int, float)[requests.Length][];
        await using (var quiet = new EngineHarness(options => options.PrefixCache = false, device: device))
        {
            await PublishAllAsync(quiet);
            for (int i = 0; i < requests.Length; i++)
            {
                alone[i] = Answer(await quiet.RunAsync(requests[i]));
            }
        }

        using Transformer model = TinyModel.Create(1);
        long pageBytes = model.PageBytes(Compute.Tensors.ElementType.F32);
        await using var busy = new EngineHarness(options =>
        {
            options.KvCacheBytes = 14 * pageBytes;
            options.MaxBatchRows = 48;
            options.Workers = 3;
        }, device: device);
        await PublishAllAsync(busy);
        for (int round = 0; round < 2; round++)
        {
            var answers = await Task.WhenAll(requests.Select(request => busy.RunAsync(request)));
            for (int i = 0; i < requests.Length; i++)
            {
                AssertSame(busy, alone[i], Answer(answers[i]));
            }
        }

        Assert.Equal(0, busy.Engine.Status.UsedPages);
    }

    [SkippableTheory]
    [MemberData(nameof(Devices.Names), MemberType = typeof(Devices))]
    public async Task GenerateAsync_SameSeed_DrawsTheSameAndChoicesDiffer(string device)
    {
        await using var harness = new EngineHarness(device: device);
        var sampling = new SamplingOptions { Temperature = 1.5f, Seed = 3, Choices = 3 };
        GeneratedToken[] first = (await harness.RunAsync(EngineHarness.Request(1, 20, sampling: sampling))).Tokens;
        GeneratedToken[] second = (await harness.RunAsync(EngineHarness.Request(1, 20, sampling: sampling))).Tokens;
        Assert.Equal(first.Select(token => token.TokenId), second.Select(token => token.TokenId));
        int[][] choices = [.. first.GroupBy(token => token.Choice).Select(choice => choice.Select(token => token.TokenId).ToArray())];
        Assert.Equal(3, choices.Length);
        Assert.NotEqual(choices[0], choices[1]);
        Assert.NotEqual(choices[1], choices[2]);
    }

    [Fact]
    public async Task GenerateAsync_StopTextEchoAndText_AgreeWithTheTokens()
    {
        await using var harness = new EngineHarness(withText: true);
        GenerationRequest request = new() { Prompt = "hello", Sampling = new SamplingOptions { MaxTokens = 20, Temperature = 1.3f, Seed = 8 } };
        string all = Text((await harness.RunAsync(request)).Tokens);
        Assert.Equal(20, all.Length);
        string stop = all[7..9];
        GeneratedToken[] tokens = (await harness.RunAsync(request with { Echo = true, Sampling = request.Sampling with { Stop = [stop] } })).Tokens;
        Assert.Equal("hello" + all[..all.IndexOf(stop, StringComparison.Ordinal)], Text(tokens));
        Assert.Equal(FinishReason.Stop, tokens[^1].Finish);
    }

    [SkippableTheory]
    [MemberData(nameof(Devices.Names), MemberType = typeof(Devices))]
    public async Task GenerateAsync_ActivatedAdapter_ActsFromItsInvocationOn(string device)
    {
        await using var harness = new EngineHarness(device: device);
        await harness.Engine.Adapters.PublishAsync(Principal.Operator, "late", harness.Adapter("late", 5, invocation: [7, 8]));
        int[] start = TinyModel.Tokens(1, 40, 60);
        GenerationRequest plain = new() { PromptTokens = start, Sampling = new SamplingOptions { MaxTokens = 6 } };
        int[] without = await harness.IdsAsync(plain);
        Assert.Equal(without, await harness.IdsAsync(plain with { Adapters = [new("late")] }));
        (Generation invoked, _) = await harness.RunAsync(plain with { PromptTokens = [.. start, 7, 8, 9], Adapters = [new("late")] });
        Assert.Equal(32, invoked.Usage.CachedPromptTokens); // what comes before the invocation is the base's
    }

    [SkippableTheory]
    [MemberData(nameof(Devices.Names), MemberType = typeof(Devices))]
    public async Task ScoreAsync_InOneStepOrMany_GivesTheModelsLogProbabilities(string device)
    {
        await using var harness = new EngineHarness(device: device);
        (Generation generation, GeneratedToken[] tokens) = await harness.RunAsync(EngineHarness.Request(1, 30, maxTokens: 20, sampling: new SamplingOptions { LogProbabilities = 0 }));
        int[] prompt = TinyModel.Tokens(1, 30, 101);
        var request = new ScoreRequest { PromptTokens = prompt, ContinuationTokens = [[.. tokens.Select(token => token.TokenId)], [1, 2, 3]] };
        ScoreResult whole = await harness.Engine.ScoreAsync(request);
        AssertSame(harness, tokens.Select(token => token.LogProbability), whole.Scores[0].LogProbabilities);
        Assert.Equal(3, whole.Scores[1].LogProbabilities.Count);
        await using var chunked = new EngineHarness(options => (options.MaxBatchRows, options.MaxLogitRows) = (7, 3), device: device);
        ScoreResult parts = await chunked.Engine.ScoreAsync(request);
        AssertSame(harness, whole.Scores.SelectMany(score => score.LogProbabilities), parts.Scores.SelectMany(score => score.LogProbabilities));
    }

    [Fact]
    public async Task ScoreAsync_PromptAlone_IsScoredFromItsSecondToken()
    {
        await using var harness = new EngineHarness();
        ScoreResult result = await harness.Engine.ScoreAsync(new ScoreRequest { PromptTokens = [5, 6, 7] });
        Assert.Equal([6, 7], result.Scores[0].TokenIds);
        Assert.True(result.Scores[0].Perplexity > 1);
    }

    [Theory]
    [InlineData(Pooling.Last)]
    [InlineData(Pooling.Mean)]
    public async Task EmbedAsync_InOneStepOrMany_GivesTheSameUnitVectors(Pooling pooling)
    {
        var request = new EmbedRequest { InputTokens = [[1, 2, 3], TinyModel.Tokens(2, 40, 101)], Pooling = pooling, Normalize = true };
        await using var harness = new EngineHarness();
        await using var chunked = new EngineHarness(options => (options.MaxBatchRows, options.MaxLogitRows) = (7, 3));
        EmbedResult whole = await harness.Engine.EmbedAsync(request);
        EmbedResult parts = await chunked.Engine.EmbedAsync(request);
        Assert.Equal(whole.Vectors.Select(vector => vector.ToArray()), parts.Vectors.Select(vector => vector.ToArray()));
        Assert.All(whole.Vectors, vector => Assert.Equal(1, vector.ToArray().Sum(value => (double)value * value), 1e-5));
    }

    [Fact]
    public async Task GenerateAsync_BadRequests_AreRefusedByKind()
    {
        await using var harness = new EngineHarness();
        GenerationRequest good = EngineHarness.Request(1, 5);
        await RefusedAsync(EngineError.InvalidSampling, good with { Sampling = new SamplingOptions { Temperature = float.NaN } });
        await RefusedAsync(EngineError.InvalidSampling, good with { Sampling = new SamplingOptions { TopP = 0 } });
        await RefusedAsync(EngineError.InvalidSampling, good with { Sampling = new SamplingOptions { Choices = 1000 } });
        await RefusedAsync(EngineError.EmptyPrompt, good with { PromptTokens = [] });
        await RefusedAsync(EngineError.InvalidRequest, good with { PromptTokens = null });
        await RefusedAsync(EngineError.InvalidRequest, good with { PromptTokens = [101] });
        await RefusedAsync(EngineError.InvalidRequest, good with { Adapters = [new("x", float.NaN)] });
        await RefusedAsync(EngineError.Unsupported, good with { PromptTokens = null, Prompt = "text" });
        await RefusedAsync(EngineError.PromptTooLong, EngineHarness.Request(1, 600));
        await RefusedAsync(EngineError.UnknownAdapter, good with { Adapters = [new("nobody")] });
        await RefusedAsync(EngineError.InvalidAdapterName, good with { Adapters = [new("../etc")] });
        await RefusedAsync(EngineError.DeadlineExceeded, good with { Deadline = harness.Time.GetUtcNow().AddSeconds(-1) });

        async Task RefusedAsync(EngineError error, GenerationRequest request) =>
            Assert.Equal(error, (await Assert.ThrowsAsync<EngineException>(() => harness.Engine.GenerateAsync(request))).Error);
    }

    [SkippableTheory]
    [MemberData(nameof(Devices.Names), MemberType = typeof(Devices))]
    public async Task GenerateAsync_CancelledOrAbandoned_FreesItsPages(string device)
    {
        await using var harness = new EngineHarness(device: device);
        using var source = new CancellationTokenSource();
        Generation cancelled = await harness.Engine.GenerateAsync(EngineHarness.Request(1, 100, maxTokens: 400), source.Token);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (GeneratedToken _ in cancelled)
            {
                await source.CancelAsync();
            }
        });
        await foreach (GeneratedToken _ in await harness.Engine.GenerateAsync(EngineHarness.Request(2, 100, maxTokens: 400)))
        {
            break;
        }

        await harness.UntilAsync(() => harness.Engine.Status is { UsedPages: 0, RunningSequences: 0 });
    }

    [Fact]
    public async Task GenerateAsync_DeadlinePasses_FailsAndFreesItsPages()
    {
        await using var harness = new EngineHarness(options => options.MaxBatchRows = 1);
        harness.BeforeStep = _ => harness.Time.Advance(TimeSpan.FromMilliseconds(1));
        GenerationRequest request = EngineHarness.Request(1, 400, maxTokens: 100) with { Deadline = harness.Time.GetUtcNow().AddMilliseconds(50) };
        EngineException failure = await Assert.ThrowsAsync<EngineException>(() => harness.RunAsync(request));
        Assert.Equal(EngineError.DeadlineExceeded, failure.Error);
        await harness.UntilAsync(() => harness.Engine.Status.UsedPages == 0);
    }

    [Fact]
    public async Task GenerateAsync_TenTimesMoreThanTheQueueTakes_RefusesTheRestWithAHint()
    {
        long counted = 0;
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, listening) =>
            {
                if (instrument.Name == EngineMetrics.Requests)
                {
                    listening.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<long>((_, count, tags, _) => Interlocked.Add(ref counted, tags.Contains(new("outcome", "refused")) ? count : 0));
        listener.Start();
        await using var harness = new EngineHarness(options => (options.MaxQueuedRequests, options.MaxRunningSequences) = (4, 1));
        int refused = 0;
        List<Task> answers = [];
        for (int i = 0; i < 60; i++)
        {
            try
            {
                Generation accepted = await harness.Engine.GenerateAsync(EngineHarness.Request(i, 50, maxTokens: 30));
                answers.Add(Task.Run(async () => Assert.Equal(30, await CountAsync(accepted))));
            }
            catch (EngineException full) when (full.Error == EngineError.QueueFull)
            {
                Assert.True(full.RetryAfter > TimeSpan.Zero);
                refused++;
            }
        }

        await Task.WhenAll(answers);
        Assert.True(refused > 0);
        Assert.Equal(refused, Interlocked.Read(ref counted));
    }

    [SkippableTheory]
    [MemberData(nameof(Devices.Names), MemberType = typeof(Devices))]
    public async Task GenerateAsync_StepFails_OnlyTheCulpritFails(string device)
    {
        await using var harness = new EngineHarness(device: device);
        harness.BeforeStep = batch => ThrowIf(batch.Tokens.Contains(99));
        GenerationRequest good = EngineHarness.Request(3, 20, sampling: new SamplingOptions { LogitBias = new Dictionary<int, float> { [99] = -100 } }) with { PromptTokens = [1, 2, 3] };
        int[] expected = await harness.IdsAsync(good);
        Task<int[]>[] bystanders = [.. Enumerable.Range(0, 4).Select(_ => harness.IdsAsync(good))];
        EngineException failure = await Assert.ThrowsAsync<EngineException>(() => harness.RunAsync(good with { PromptTokens = [1, 99] }));
        Assert.Equal(EngineError.StepFailed, failure.Error);
        Assert.All(await Task.WhenAll(bystanders), ids => Assert.Equal(expected, ids));
        Assert.Equal(expected, await harness.IdsAsync(good));
    }

    [SkippableTheory]
    [MemberData(nameof(Devices.Names), MemberType = typeof(Devices))]
    public async Task DrainAsync_WithRequestsRunning_FinishesThemAndTakesNoMore(string device)
    {
        await using var harness = new EngineHarness(device: device);
        Task<int[]>[] running = [.. Enumerable.Range(0, 4).Select(i => harness.IdsAsync(EngineHarness.Request(i, 30, maxTokens: 40)))];
        Task drained = harness.Engine.DrainAsync();
        EngineException refused = await Assert.ThrowsAsync<EngineException>(() => harness.Engine.GenerateAsync(EngineHarness.Request(1, 3)));
        Assert.Equal(EngineError.ShuttingDown, refused.Error);
        await drained;
        Assert.All(await Task.WhenAll(running), ids => Assert.Equal(40, ids.Length));
    }

    [Fact]
    public async Task DisposeAsync_WithRequestsRunning_FailsThemAndFreesAllMemory()
    {
        long before = EngineHarness.AllocatedBytes();
        var harness = new EngineHarness();
        harness.BeforeStep = _ => SpinWait.SpinUntil(() => harness.Engine.Status.Stopping);
        Generation running = await harness.Engine.GenerateAsync(EngineHarness.Request(1, 400, maxTokens: 100));
        await harness.DisposeAsync();
        EngineException failure = await Assert.ThrowsAsync<EngineException>(async () => await CountAsync(running));
        Assert.Equal(EngineError.ShuttingDown, failure.Error);

        // What the model was loaded from is the collector's, and still reachable here.
        long left = EngineHarness.AllocatedBytes() - before;
        Assert.Equal(TinyModel.Weights(1).All.Sum(tensor => tensor.ByteLength), left);
    }

    [Fact]
    public async Task Loop_DecodingInSteadyState_AllocatesNothing()
    {
        const int Tokens = 240; // few enough that a reader may be as late as it likes, see TokenStream
        await using var harness = new EngineHarness(options => (options.Workers, options.KvCacheBytes) = (1, 8 << 20), withText: true);
        await PublishAllAsync(harness);
        await AnswerAllAsync(); // what is made once in the life of a process
        List<long> steady = new(Tokens);
        long last = -1;
        harness.Engine.Loop.Stepped = scheduler =>
        {
            long now = GC.GetAllocatedBytesForCurrentThread();
            bool isSteady = scheduler.Running.Count == s_adapters.Length && scheduler.Waiting.Count == 0;
            foreach (Sequence sequence in scheduler.Running)
            {
                isSteady &= sequence.TokenCount > sequence.PromptLength;
            }

            if (isSteady && last >= 0)
            {
                steady.Add(now - last);
            }

            last = isSteady ? GC.GetAllocatedBytesForCurrentThread() : -1;
        };
        await AnswerAllAsync();
        Assert.True(steady.Count > Tokens - 10, $"{steady.Count} steps");
        Assert.True(steady.TrueForAll(bytes => bytes == 0), string.Join(' ', steady));

        async Task AnswerAllAsync()
        {
            using var allAreThere = new ManualResetEventSlim();
            harness.BeforeStep = _ => allAreThere.Wait();
            var sampling = new SamplingOptions { Temperature = 0.8f, TopP = 0.9f, PresencePenalty = 0.5f, Stop = ["zzzzzzzz"], Seed = 1 };
            List<Generation> answers = [];
            foreach (int i in Enumerable.Range(0, s_adapters.Length))
            {
                answers.Add(await harness.Engine.GenerateAsync(EngineHarness.Request(i, 8, s_adapters[i], maxTokens: Tokens, sampling)));
            }

            allAreThere.Set();
            Assert.All(await Task.WhenAll(answers.Select(CountAsync)), count => Assert.Equal(Tokens, count));
        }
    }

    private static async Task PublishAllAsync(EngineHarness harness)
    {
        await harness.Engine.Adapters.PublishAsync(Principal.Operator, "one", harness.Adapter("one", 11, rank: 2));
        await harness.Engine.Adapters.PublishAsync(Principal.Operator, "two", harness.Adapter("two", 12, rank: 9));
        await harness.Engine.Adapters.PublishAsync(Principal.Operator, "three", harness.Adapter("three", 13, rank: 4));
        string root = harness.Options.AdapterRoot!;
        await harness.Engine.Adapters.PublishAsync(Principal.Operator, "prompt", TinyAdapters.WriteVirtualTokens(Path.Combine(root, "prompt"), [5, 6, 7, 8, 9]));
        await harness.Engine.Adapters.PublishAsync(Principal.Operator, "prefix", TinyAdapters.WritePrefix(Path.Combine(root, "prefix"), 14, count: 18));
        await harness.Engine.Adapters.PublishAsync(Principal.Operator, "scales", TinyAdapters.WriteScales(Path.Combine(root, "scales"), 15));
        await harness.Engine.Adapters.PublishAsync(Principal.Operator, "mixture", TinyAdapters.WriteMixture(Path.Combine(root, "mixture"), 16, layerwise: true));
        await harness.Engine.Adapters.PublishAsync(Principal.Operator, "spread", TinyAdapters.WriteMixture(Path.Combine(root, "spread"), 17, count: 2, pass: 0.3f));
    }

    private static async Task<int> CountAsync(Generation generation)
    {
        int count = 0;
        await foreach (GeneratedToken _ in generation)
        {
            count++;
        }

        return count;
    }

    private static (int, int, float)[] Answer((Generation Generation, GeneratedToken[] Tokens) answer) =>
        [.. answer.Tokens.Select(token => (token.Choice, token.TokenId, token.LogProbability))];

    /// <summary>Of a device that is batch invariant the same bits, of another the same tokens with about the same probabilities.</summary>
    private static void AssertSame(EngineHarness harness, (int Choice, int Token, float LogProbability)[] expected, (int Choice, int Token, float LogProbability)[] actual)
    {
        Assert.Equal(expected.Select(token => (token.Choice, token.Token)), actual.Select(token => (token.Choice, token.Token)));
        AssertSame(harness, expected.Select(token => token.LogProbability), actual.Select(token => token.LogProbability));
    }

    private static void AssertSame(EngineHarness harness, IEnumerable<float> expected, IEnumerable<float> actual)
    {
        if (harness.IsBatchInvariant)
        {
            Assert.Equal(expected, actual);
        }
        else
        {
            Assert.All(expected.Zip(actual), pair => Assert.Equal(pair.First, pair.Second, 1e-3f));
        }
    }

    private static string Text(GeneratedToken[] tokens) => string.Concat(tokens.Select(token => token.Text));

    private static void ThrowIf(bool condition)
    {
        if (condition)
        {
            throw new InvalidOperationException("poison");
        }
    }
}
