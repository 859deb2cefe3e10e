using LoraServe.Models.Config;
using LoraServe.Serving.Options;
using LoraServe.Serving.Requests;
using LoraServe.Serving.Sampling;
using LoraServe.Testing;

namespace LoraServe.Serving.Tests;

/// <summary>The prompt given back with its log-probabilities, and requests that generate nothing.</summary>
public sealed class EchoTests
{
    private const int PromptLength = 50;

    private static GenerationRequest Echo(string adapter, int maxTokens, int? logProbabilities = 2) =>
        EngineHarness.Request(1, PromptLength, adapter, maxTokens, new SamplingOptions { LogProbabilities = logProbabilities, Temperature = 0.9f, Seed = 4 }) with { Echo = true };

    [SkippableTheory]
    [MemberData(nameof(Devices.Names), MemberType = typeof(Devices))]
    public async Task GenerateAsync_EchoWithLogProbabilities_AreThoseOfScore(string device)
    {
        await using var harness = new EngineHarness(withText: true, device: device);
        await harness.Engine.Adapters.PublishAsync(Principal.Operator, "a", harness.Adapter("a", 5));
        foreach (string adapter in new[] { "", "a" })
        {
            GenerationRequest request = Echo(adapter, 6) with { Sampling = Echo(adapter, 6).Sampling with { Choices = 3 } };
            ScoreResult score = await harness.Engine.ScoreAsync(new ScoreRequest { PromptTokens = request.PromptTokens, Adapters = request.Adapters });
            (_, GeneratedToken[] without) = await harness.RunAsync(request with { Echo = false });
            (Generation generation, GeneratedToken[] tokens) = await harness.RunAsync(request);
            Same(harness, without.Select(token => token.LogProbability), tokens.Select(token => token.LogProbability));
            IReadOnlyList<ScoredToken> prompt = generation.Echo!.Tokens;
            Assert.Equal(string.Concat(request.PromptTokens!.Select(EngineHarness.LetterCodec.Letter)), generation.Echo.Text);
            Assert.Equal(request.PromptTokens, prompt.Select(token => token.TokenId));
            Assert.True(float.IsNaN(prompt[0].LogProbability) && prompt[0].Top.Count == 0);
            Same(harness, score.Scores[0].LogProbabilities, prompt.Skip(1).Select(token => token.LogProbability));
            Assert.All(prompt.Skip(1), token =>
            {
                Assert.Equal(2, token.Top.Count);
                Assert.True(token.Top[0].LogProbability >= token.Top[1].LogProbability && token.Top[0].LogProbability >= token.LogProbability);
                Assert.All(token.Top.Where(top => top.TokenId == token.TokenId), top => Assert.Equal(token.LogProbability, top.LogProbability));
            });
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Devices.Names), MemberType = typeof(Devices))]
    public async Task GenerateAsync_EchoOfAnAnswer_SaysWhatTheAnswerSaid(string device)
    {
        await using var harness = new EngineHarness(withText: true, device: device);
        GenerationRequest request = Echo("", 20);
        (_, GeneratedToken[] answer) = await harness.RunAsync(request);
        (Generation again, GeneratedToken[] none) = await harness.RunAsync(
            request with { PromptTokens = [.. request.PromptTokens!, .. answer.Select(token => token.TokenId)], Sampling = request.Sampling with { MaxTokens = 0 } });
        Assert.Empty(none);
        ScoredToken[] scored = [.. again.Echo!.Tokens.Skip(PromptLength)];
        Same(harness, answer.Select(token => token.LogProbability), scored.Select(token => token.LogProbability));
        Assert.Equal(answer.SelectMany(token => token.Top.Select(top => top.TokenId)), scored.SelectMany(token => token.Top.Select(top => top.TokenId)));
    }

    [Fact]
    public async Task GenerateAsync_EchoInSmallStepsShortOfPagesBesideOthers_IsTheSameToTheBit()
    {
        await using var whole = new EngineHarness(withText: true);
        (Generation expected, GeneratedToken[] tokens) = await whole.RunAsync(Echo("", 70));
        await using var harness = new EngineHarness(
            options => (options.MaxBatchRows, options.MaxLogitRows, options.MaxRunningSequences, options.KvCacheBytes) = (11, 5, 4, options.KvCacheBytes / 8), withText: true);
        long preemptions = 0;
        harness.Engine.Loop.Stepped = scheduler => preemptions = scheduler.Preemptions;
        (Generation Generation, GeneratedToken[] Tokens)[] all = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => harness.RunAsync(Echo("", 70))));
        Assert.All(all, found =>
        {
            Assert.Equal(tokens.Select(token => token.LogProbability), found.Tokens.Select(token => token.LogProbability));
            Assert.Equal(expected.Echo!.Tokens.Select(token => (token.TokenId, token.LogProbability)), found.Generation.Echo!.Tokens.Select(token => (token.TokenId, token.LogProbability)));
        });
        Assert.True(preemptions > 0);
    }

    [Fact]
    public async Task GenerateAsync_EchoAfterThePromptIsCached_IsScoredAnew()
    {
        await using var harness = new EngineHarness(withText: true);
        (Generation first, _) = await harness.RunAsync(Echo("", 3));
        (Generation second, _) = await harness.RunAsync(Echo("", 3));
        Assert.Equal(0, second.Usage.CachedPromptTokens);
        Assert.Equal(first.Echo!.Tokens.Select(token => token.LogProbability), second.Echo!.Tokens.Select(token => token.LogProbability));
        (Generation unscored, _) = await harness.RunAsync(Echo("", 3, logProbabilities: null));
        Assert.Equal((48, 0), (unscored.Usage.CachedPromptTokens, unscored.Echo!.Tokens.Count));
    }

    [Fact]
    public async Task GenerateAsync_NoTokensToGenerate_LoadsTheAdapterAndCachesThePrompt()
    {
        await using var harness = new EngineHarness();
        harness.Adapter("cold", 5);
        GenerationRequest request = EngineHarness.Request(1, PromptLength, "cold", maxTokens: 0, new SamplingOptions { Choices = 2 });
        (Generation warmed, GeneratedToken[] tokens) = await harness.RunAsync(request);
        Assert.Empty(tokens);
        Assert.Null(warmed.Echo);
        Assert.Equal(new Usage(PromptLength, 0, 0), warmed.Usage);
        (Generation found, _) = await harness.RunAsync(request with { Sampling = new SamplingOptions { MaxTokens = 2 } });
        Assert.Equal(48, found.Usage.CachedPromptTokens);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(512)]
    public async Task GenerateAsync_NothingToGenerate_TakesAPromptOfOneTokenAndOfTheWholeContext(int length)
    {
        await using var harness = new EngineHarness(withText: true);
        GenerationRequest request = EngineHarness.Request(3, length, maxTokens: 0, sampling: new SamplingOptions { LogProbabilities = 0 }) with { Echo = true };
        (Generation generation, _) = await harness.RunAsync(request);
        Assert.Equal(length - 1, generation.Echo!.Tokens.Count(token => float.IsFinite(token.LogProbability)));
        EngineException refusal = await Assert.ThrowsAsync<EngineException>(() => harness.RunAsync(EngineHarness.Request(3, 513, maxTokens: 0)));
        Assert.Equal(EngineError.PromptTooLong, refusal.Error);
    }

    [Fact]
    public void Prompt_MoreLogProbabilitiesThanAreKept_IsRefused()
    {
        using var grammars = new GrammarCache(codec: null);
        var reader = new RequestReader(new EngineOptions(), new GenerationDefaults(), codec: null, grammars, vocabularySize: 9, contextLength: 100_000, cacheTokens: 100_000, TimeProvider.System);
        GenerationRequest request = new() { PromptTokens = new int[50_000], Echo = true, Sampling = new SamplingOptions { LogProbabilities = 20 } };
        EngineException refusal = Assert.Throws<EngineException>(() => reader.Prompt(request));
        Assert.Equal(EngineError.InvalidSampling, refusal.Error);
        Assert.Contains("logprobs of 20 and a prompt of 50000 tokens", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(50_000, reader.Prompt(request with { Echo = false }).Length);
        Assert.Equal(50_000, reader.Prompt(request with { Sampling = new SamplingOptions { LogProbabilities = 19 } }).Length);
    }

    private static void Same(EngineHarness harness, IEnumerable<float> expected, IEnumerable<float> actual)
    {
        if (harness.IsBatchInvariant)
        {
            Assert.Equal(expected, actual);
        }
        else
        {
            Assert.Equal(expected.Count(), actual.Count());
            Assert.All(expected.Zip(actual), pair => Assert.Equal(pair.First, pair.Second, 1e-3f));
        }
    }
}
