using LoraServe.Adapters.Loading;
using LoraServe.Compute;
using LoraServe.Compute.Tensors;
using LoraServe.Models;
using LoraServe.Models.Forward;
using LoraServe.Serving.Options;
using LoraServe.Serving.Requests;
using LoraServe.Serving.Store;
using LoraServe.Testing;

namespace LoraServe.Serving.Tests;

/// <summary>X-LoRA: adapters that a pass before the one that answers scales token by token.</summary>
public sealed class MixtureTests
{
    private const string Root = "fixtures/peft";

    [SkippableTheory]
    [MemberData(nameof(Devices.Names), MemberType = typeof(Devices))]
    public async Task GenerateAsync_GoldensBesideOtherMethodsInChunksShortOfPages_GivesTheReferencesProbabilities(string device)
    {
        using LoadedModel loaded = ModelLoader.Load(Devices.Named(device).Require(), SharedFiles.Require($"{Root}/bases/llama"), new ModelLoadOptions { Arithmetic = Arithmetic.Exact });
        var options = new EngineOptions { KvCacheType = ElementType.F32, KvCacheBytes = 8 * loaded.Transformer.PageBytes(ElementType.F32), MaxBatchRows = 9, Workers = 2 };
        await using var engine = new InferenceEngine(loaded, options);
        List<(string Adapter, int[] Prompt, float[] Logits)> cases = [];
        foreach (string path in (string[])["xlora/xlora", "llama/lora-qv", "xlora/xlora-layerwise", "llama/ia3", "llama/prefix-tuning"])
        {
            string folder = SharedFiles.Require($"{Root}/{path}");
            string name = Path.GetFileName(path);
            await engine.Adapters.PublishAsync(Principal.Operator, name, folder);
            using var golden = new Golden(Path.Combine(folder, "expected.safetensors"));
            cases.AddRange(golden.Indices(i => $"prompt.{i}").Select(i => (name, golden.Ids($"prompt.{i}"), golden.Floats($"logits.{i}"))));
        }

        var answers = await Task.WhenAll(cases.Select(async one =>
        {
            Task<GeneratedToken> next = NextAsync(engine, one.Adapter, one.Prompt);
            ScoreResult scored = await engine.ScoreAsync(new ScoreRequest { PromptTokens = one.Prompt, Adapters = [new(one.Adapter)] });
            return (await next, scored.Scores[0].LogProbabilities);
        }));
        foreach (((_, int[] prompt, float[] logits), (GeneratedToken next, IReadOnlyList<float> scores)) in cases.Zip(answers))
        {
            int vocabulary = logits.Length / prompt.Length;
            Assert.Equal(ForwardHarness.Best(logits.AsSpan()[^vocabulary..]), next.TokenId);
            for (int i = 1; i < prompt.Length; i++)
            {
                Assert.Equal(LogProbability(logits.AsSpan((i - 1) * vocabulary, vocabulary), prompt[i]), scores[i - 1], 1e-3);
            }
        }

        Assert.Equal(0, engine.Status.UsedPages);
    }

    [Fact]
    public async Task GenerateAsync_AnswersAndScores_AreThoseOfRecomputingFromTheBeginning()
    {
        await using var harness = new EngineHarness(options => options.MaxBatchRows = 5);
        using Transformer model = TinyModel.Create(seed: 1);
        foreach ((string name, bool layerwise, float pass) in ((string, bool, float)[])[("a", false, 0), ("b", true, 0), ("c", true, 0.5f)])
        {
            string folder = TinyAdapters.WriteMixture(Path.Combine(harness.Options.AdapterRoot!, name), 31, layerwise: layerwise, pass: pass);
            await harness.Engine.Adapters.PublishAsync(Principal.Operator, name, folder);
            using ResidentAdapter adapter = model.Place(AdapterLoader.Load(folder, model));
            using var alone = new ForwardHarness(model);
            GenerationRequest request = EngineHarness.Request(3, 37, name);
            int[] answer = await harness.IdsAsync(request);
            for (int i = 0; i < answer.Length; i++)
            {
                float[][] logits = alone.Logits([.. request.PromptTokens!, .. answer[..i]], new AdapterUse(adapter));
                Assert.Equal(ForwardHarness.Best(logits[^1]), answer[i]);
            }

            Assert.NotEqual(answer, await harness.IdsAsync(request with { Adapters = [] }));
        }
    }

    [Fact]
    public async Task GenerateAsync_Again_FindsThePagesOfBothPasses()
    {
        await using var harness = await PublishedAsync();
        GenerationRequest request = EngineHarness.Request(3, 40, "mixture");
        (Generation first, GeneratedToken[] expected) = await harness.RunAsync(request);
        (Generation second, GeneratedToken[] found) = await harness.RunAsync(request);
        Assert.Equal((0, 32), (first.Usage.CachedPromptTokens, second.Usage.CachedPromptTokens));
        Assert.Equal(expected.Select(token => token.TokenId), found.Select(token => token.TokenId));

        // The base's pages are known by now, since the first pass is the base's.
        (Generation plain, _) = await harness.RunAsync(request with { Adapters = [] });
        Assert.Equal(32, plain.Usage.CachedPromptTokens);
    }

    [Fact]
    public async Task EmbedAsync_InOneStepOrMany_GivesTheSame()
    {
        float[][] vectors = await Task.WhenAll(((int[])[64, 3]).Select(async rows =>
        {
            await using var harness = await PublishedAsync(options => options.MaxBatchRows = rows);
            var request = new EmbedRequest { InputTokens = [TinyModel.Tokens(1, 21, 100)], Pooling = Pooling.Mean, Adapters = [new("mixture")] };
            return (await harness.Engine.EmbedAsync(request)).Vectors[0].ToArray();
        }));
        Assert.Equal(vectors[0], vectors[1]);
    }

    [Fact]
    public async Task Requests_ThatFitOnceButNotTwice_AreRefused()
    {
        using Transformer model = TinyModel.Create(1);
        long pages = 4 * model.PageBytes(ElementType.F32);
        await using EngineHarness harness = await PublishedAsync(options => options.KvCacheBytes = pages);
        Assert.Single(await harness.IdsAsync(EngineHarness.Request(1, 63)));
        Assert.Single(await harness.IdsAsync(EngineHarness.Request(1, 31, "mixture")));
        EngineException refusal = await Assert.ThrowsAsync<EngineException>(() => harness.IdsAsync(EngineHarness.Request(1, 32, "mixture")));
        Assert.Equal(EngineError.PromptTooLong, refusal.Error);
        Assert.Equal(0, harness.Engine.Status.UsedPages);
    }

    [Theory]
    [InlineData("mixture+other", "both scale themselves")]
    [InlineData("begin+mixture", "virtual tokens")]
    public async Task GenerateAsync_StackThatCannotBe_IsRefusedByName(string stack, string expected)
    {
        await using EngineHarness harness = await PublishedAsync();
        await harness.Engine.Adapters.PublishAsync(Principal.Operator, "other", TinyAdapters.WriteMixture(Path.Combine(harness.Folder, "other"), 5));
        await harness.Engine.Adapters.PublishAsync(Principal.Operator, "begin", TinyAdapters.WriteVirtualTokens(Path.Combine(harness.Folder, "begin"), [1, 2]));
        EngineException refusal = await Assert.ThrowsAsync<EngineException>(() => harness.IdsAsync(EngineHarness.Request(1, 9, stack)));
        Assert.Equal(EngineError.InvalidRequest, refusal.Error);
        Assert.Contains(expected, refusal.Message, StringComparison.Ordinal);
        Assert.Contains("'mixture'", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(0, harness.Engine.Adapters.Get(Principal.Operator, "mixture").InUse);
    }

    [Fact]
    public async Task CompleteAsync_WholeDirectory_IsServedAlsoAfterARestart()
    {
        using var folder = new TemporaryDirectory();
        using var sent = new TemporaryDirectory();
        TinyAdapters.WriteMixture(sent.Path, 7, layerwise: true);
        GenerationRequest request = EngineHarness.Request(2, 20, "sent");
        int[] before;
        await using (var first = new EngineHarness(folder: folder.Path))
        {
            PublishResult published = await UploadAsync(first.Engine.Adapters, sent.Path);
            Assert.Equal(AdapterLoader.DigestOf(sent.Path), published.Adapter.Digest);
            Assert.True(published.Report.ProbeLogitChange > 0);
            before = await first.IdsAsync(request);
        }

        await using var second = new EngineHarness(folder: folder.Path);
        Assert.Equal(before, await second.IdsAsync(request));
    }

    [Fact]
    public async Task CompleteAsync_WithoutItsAdapters_SaysWhatToSend()
    {
        await using var harness = new EngineHarness();
        TinyAdapters.WriteMixture(Path.Combine(harness.Options.AdapterRoot!, "mixture"), 7);
        using var sent = new TemporaryDirectory();
        foreach (string file in Directory.GetFiles(Path.Combine(harness.Options.AdapterRoot!, "mixture")))
        {
            File.Copy(file, sent.File(Path.GetFileName(file)));
        }

        // It finds nothing of the server's, whatever path it names.
        string config = File.ReadAllText(sent.File("adapter_config.json"));
        foreach (string path in (string[])["root/mixture/0", "../root/mixture/0", Path.Combine(harness.Options.AdapterRoot!, "mixture", "0")])
        {
            File.WriteAllText(sent.File("adapter_config.json"), config.Replace("/somewhere/else/0", path, StringComparison.Ordinal));
            EngineException refusal = await Assert.ThrowsAsync<EngineException>(() => UploadAsync(harness.Engine.Adapters, sent.Path));
            Assert.Equal(EngineError.AdapterRefused, refusal.Error);
            Assert.Contains("Put the adapter's files into sent/0", refusal.Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("../adapter_config.json")]
    [InlineData("0/../adapter_config.json")]
    [InlineData("0/1/adapter_config.json")]
    [InlineData("64/adapter_config.json")]
    [InlineData("-1/adapter_config.json")]
    [InlineData("01/adapter_config.json")]
    [InlineData("0\\adapter_config.json")]
    [InlineData("0/notes.txt")]
    [InlineData("/adapter_config.json")]
    public async Task WriteAsync_FileOfNoAdapterInIt_IsRefused(string file)
    {
        await using var harness = new EngineHarness();
        await using AdapterUpload upload = harness.Engine.Adapters.BeginUpload(Principal.Operator, "a");
        Assert.Equal(EngineError.InvalidUpload, (await Assert.ThrowsAsync<EngineException>(async () => await upload.WriteAsync(file, new byte[1]))).Error);
    }

    private static async Task<EngineHarness> PublishedAsync(Action<EngineOptions>? configure = null)
    {
        var harness = new EngineHarness(configure);
        await harness.Engine.Adapters.PublishAsync(Principal.Operator, "mixture", TinyAdapters.WriteMixture(Path.Combine(harness.Options.AdapterRoot!, "mixture"), 21, layerwise: true));
        return harness;
    }

    private static async Task<PublishResult> UploadAsync(AdapterStore store, string folder)
    {
        await using AdapterUpload upload = store.BeginUpload(Principal.Operator, "sent");
        foreach (string file in Directory.GetFiles(folder, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            await upload.WriteAsync(Path.GetRelativePath(folder, file), await File.ReadAllBytesAsync(file));
        }

        return await upload.CompleteAsync();
    }

    private static async Task<GeneratedToken> NextAsync(InferenceEngine engine, string adapter, int[] prompt)
    {
        var request = new GenerationRequest { PromptTokens = prompt, Adapters = [new(adapter)], Sampling = new SamplingOptions { MaxTokens = 1 } };
        await foreach (GeneratedToken token in await engine.GenerateAsync(request))
        {
            return token;
        }

        throw new InvalidOperationException("There was no token.");
    }


    private static double LogProbability(ReadOnlySpan<float> logits, int token)
    {
        double sum = 0;
        foreach (float logit in logits)
        {
            sum += Math.Exp(logit - logits[token]);
        }

        return -Math.Log(sum);
    }
}
