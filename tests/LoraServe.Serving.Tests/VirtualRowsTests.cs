using LoraServe.Serving.Requests;
using LoraServe.Serving.Store;
using LoraServe.Testing;

namespace LoraServe.Serving.Tests;

/// <summary>Adapters that put rows ahead of the prompt: they act as a prompt would, and nobody hears of their rows.</summary>
public sealed class VirtualRowsTests : IAsyncDisposable
{
    private const int Count = 19;
    private readonly EngineHarness _harness = new(withText: true);
    private readonly int[] _begin = TinyModel.Tokens(5, Count, TinyModel.DefaultSpec.VocabularySize);
    private readonly int[] _prompt = TinyModel.Tokens(6, 30, TinyModel.DefaultSpec.VocabularySize);

    public ValueTask DisposeAsync() => _harness.DisposeAsync();

    [Fact]
    public async Task GenerateAsync_EmbeddingsOfTokens_AnswersAsAfterThoseTokens()
    {
        await PublishAsync();
        var sampling = new SamplingOptions { MaxTokens = 12, Temperature = 0.8f, Seed = 3, Choices = 3, LogProbabilities = 1 };
        (_, GeneratedToken[] expected) = await _harness.RunAsync(new GenerationRequest { PromptTokens = [.. _begin, .. _prompt], Sampling = sampling });
        (_, GeneratedToken[] found) = await _harness.RunAsync(With(sampling));
        Assert.Equal(expected.Select(token => (token.TokenId, token.LogProbability, token.Text)), found.Select(token => (token.TokenId, token.LogProbability, token.Text)));
    }

    [Fact]
    public async Task GenerateAsync_Twice_CountsTheCallersTokensAlone()
    {
        await PublishAsync();
        var sampling = new SamplingOptions { MaxTokens = 3 };
        (Generation first, _) = await _harness.RunAsync(With(sampling));
        Assert.Equal(new Usage(_prompt.Length, 3, 0), first.Usage);
        (Generation second, _) = await _harness.RunAsync(With(sampling));
        Assert.Equal(new Usage(_prompt.Length, 3, ((Count + _prompt.Length) / 16 * 16) - Count), second.Usage);
        (Generation shorter, _) = await _harness.RunAsync(With(sampling) with { PromptTokens = [1] });
        Assert.Equal(new Usage(1, 3, 0), shorter.Usage); // a page of virtual rows alone was found
    }

    [Fact]
    public async Task GenerateAsync_EchoAndPenalties_LeaveVirtualRowsOut()
    {
        await PublishAsync();
        GenerationRequest request = With(new SamplingOptions { MaxTokens = 5, RepetitionPenalty = 1.3f, PresencePenalty = 0.5f }) with { Echo = true };
        (Generation generation, GeneratedToken[] tokens) = await _harness.RunAsync(request);
        string text = generation.Echo!.Text + string.Concat(tokens.Select(token => token.Text));
        Assert.Equal(string.Concat(_prompt.Concat(tokens.Select(token => token.TokenId)).Select(EngineHarness.LetterCodec.Letter)), text);
    }

    [Fact]
    public async Task GenerateAsync_WithAnActivatedAdapter_ActivatesItWhereItsTokensAreInThePrompt()
    {
        await PublishAsync();
        await _harness.Engine.Adapters.PublishAsync(Principal.Operator, "late", _harness.Adapter("late", 8, invocation: [98, 99, 100]));
        var request = new GenerationRequest
        {
            PromptTokens = [.. _begin, .. _prompt, 98, 99, 100, 3],
            Adapters = [new("late")],
            Sampling = new SamplingOptions { MaxTokens = 8, LogProbabilities = 0 },
        };
        (_, GeneratedToken[] expected) = await _harness.RunAsync(request);
        (_, GeneratedToken[] without) = await _harness.RunAsync(request with { Adapters = [] });
        (Generation generation, GeneratedToken[] found) = await _harness.RunAsync(request with { PromptTokens = [.. _prompt, 98, 99, 100, 3], Adapters = [new("late"), new("begin")] });
        Assert.Equal(expected.Select(token => token.LogProbability), found.Select(token => token.LogProbability));
        Assert.NotEqual(without.Select(token => token.LogProbability), found.Select(token => token.LogProbability));

        // What comes before the invocation is as of the other adapter alone.
        (Generation alone, _) = await _harness.RunAsync(request with { PromptTokens = [.. _prompt, 98, 99, 100, 3], Adapters = [new("begin")] });
        Assert.Equal((0, 48 - Count), (generation.Usage.CachedPromptTokens, alone.Usage.CachedPromptTokens));
    }

    [Fact]
    public async Task ScoreAsync_EmbeddingsOfTokens_ScoresTheSameTokensAsAfterThem()
    {
        await PublishAsync();
        ScoreResult expected = await _harness.Engine.ScoreAsync(new ScoreRequest { PromptTokens = [.. _begin, .. _prompt], ContinuationTokens = [[1, 2, 3], [4]] });
        ScoreResult found = await _harness.Engine.ScoreAsync(new ScoreRequest { PromptTokens = _prompt, ContinuationTokens = [[1, 2, 3], [4]], Adapters = [new("begin")] });
        Assert.Equal(expected.Scores.SelectMany(score => score.LogProbabilities), found.Scores.SelectMany(score => score.LogProbabilities));

        expected = await _harness.Engine.ScoreAsync(new ScoreRequest { PromptTokens = [.. _begin, 7, 8, 9] });
        found = await _harness.Engine.ScoreAsync(new ScoreRequest { PromptTokens = [7, 8, 9], Adapters = [new("begin")] });
        Assert.Equal([8, 9], found.Scores[0].TokenIds);
        Assert.Equal(expected.Scores[0].LogProbabilities.TakeLast(2), found.Scores[0].LogProbabilities);
    }

    [Fact]
    public async Task EmbedAsync_EmbeddingsOfTokens_PoolsTheCallersTokensAlone()
    {
        await PublishAsync();
        float[] last = await EmbedAsync(_harness, [.. _begin, .. _prompt], "", Pooling.Last);
        Assert.Equal(last, await EmbedAsync(_harness, _prompt, "begin", Pooling.Last));
        float[] all = await EmbedAsync(_harness, [.. _begin, .. _prompt], "", Pooling.Mean);
        float[] begin = await EmbedAsync(_harness, _begin, "", Pooling.Mean);
        float[] found = await EmbedAsync(_harness, _prompt, "begin", Pooling.Mean);
        for (int i = 0; i < found.Length; i++)
        {
            Assert.Equal(((all[i] * (Count + _prompt.Length)) - (begin[i] * Count)) / _prompt.Length, found[i], 1e-4);
        }

        Assert.Equal(found, await EmbedAsync(_harness, _prompt, "begin", Pooling.Mean)); // the virtual rows' page was found
        await using var chunked = new EngineHarness(options => options.MaxBatchRows = 7);
        await PublishAsync(chunked);
        Assert.Equal(found, await EmbedAsync(chunked, _prompt, "begin", Pooling.Mean));
        Assert.Equal(last, await EmbedAsync(chunked, _prompt, "begin", Pooling.Last));
    }

    [Fact]
    public async Task Requests_ThatDoNotFitBehindTheVirtualRows_AreRefusedAndToldWhy()
    {
        await PublishAsync();
        int context = TinyModel.DefaultSpec.ContextLength;
        int fits = context - Count - 1;
        GenerationRequest request = With(new SamplingOptions { MaxTokens = 5 });
        Assert.Single(await _harness.IdsAsync(request with { PromptTokens = TinyModel.Tokens(1, fits, 100) }));
        await RefusedAsync(() => _harness.Engine.GenerateAsync(request with { PromptTokens = TinyModel.Tokens(1, fits + 1, 100) }), fits);
        int[] text = TinyModel.Tokens(1, fits + 2, 100);
        await RefusedAsync(() => _harness.Engine.ScoreAsync(new ScoreRequest { PromptTokens = text, Adapters = [new("begin")] }), fits + 1);
        await RefusedAsync(() => _harness.Engine.EmbedAsync(new EmbedRequest { InputTokens = [text], Adapters = [new("begin")] }), fits + 1);
        Assert.Equal(0, _harness.Engine.Adapters.Get(Principal.Operator, "begin").InUse);

        static async Task RefusedAsync(Func<Task> act, int most)
        {
            EngineException refusal = await Assert.ThrowsAsync<EngineException>(act);
            Assert.Equal(EngineError.PromptTooLong, refusal.Error);
            Assert.Contains($"{most} fit behind the {Count} virtual tokens of its adapters", refusal.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task PublishAsync_MoreVirtualRowsThanTheContext_IsRefused()
    {
        string folder = TinyAdapters.WriteVirtualTokens(Path.Combine(_harness.Options.AdapterRoot!, "long"), TinyModel.Tokens(1, TinyModel.DefaultSpec.ContextLength, 100));
        EngineException refusal = await Assert.ThrowsAsync<EngineException>(() => _harness.Engine.Adapters.PublishAsync(Principal.Operator, "long", folder));
        Assert.Equal(EngineError.AdapterRefused, refusal.Error);
    }

    [Fact]
    public async Task Engine_StartedAgain_StillKnowsHowManyRowsAnAdapterBrings()
    {
        string folder = Directory.CreateTempSubdirectory("loraserve-").FullName;
        try
        {
            int[] before;
            await using (var first = new EngineHarness(folder: folder))
            {
                await PublishAsync(first);
                before = await first.IdsAsync(With(new SamplingOptions { MaxTokens = 6 }));
            }

            await using var second = new EngineHarness(folder: folder);
            Assert.Equal(before, await second.IdsAsync(With(new SamplingOptions { MaxTokens = 6 })));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<float[]> EmbedAsync(EngineHarness harness, int[] text, string adapter, Pooling pooling)
    {
        EmbedResult result = await harness.Engine.EmbedAsync(new EmbedRequest { InputTokens = [text], Pooling = pooling, Adapters = AdapterReference.ParseStack(adapter) });
        Assert.Equal(text.Length, result.Usage.PromptTokens);
        return result.Vectors[0].ToArray();
    }

    private GenerationRequest With(SamplingOptions sampling) => new() { PromptTokens = _prompt, Adapters = [new("begin")], Sampling = sampling };

    private Task<PublishResult> PublishAsync(EngineHarness? harness = null)
    {
        harness ??= _harness;
        return harness.Engine.Adapters.PublishAsync(Principal.Operator, "begin", TinyAdapters.WriteVirtualTokens(Path.Combine(harness.Options.AdapterRoot!, "begin"), _begin));
    }
}
