using System.Text.Json;
using LoraServe.Adapters.Merging;
using LoraServe.Compute;
using LoraServe.Compute.Tensors;
using LoraServe.Cpu;
using LoraServe.Models;
using LoraServe.Serving.Options;
using LoraServe.Serving.Requests;
using LoraServe.Serving.Store;
using LoraServe.Serving.Store.Versions;
using LoraServe.Testing;

namespace LoraServe.Serving.Tests;

/// <summary>Adapters that a request combines: the same as combined before and published, kept for who asks again.</summary>
public sealed class CombinationsTests
{
    private const string Root = "fixtures/peft";
    private static readonly AdapterReference[] s_inputs = [new("a", 0.7f), new("b", -0.4f)];

    public static TheoryData<string> Methods => [.. CombinationOptions.MethodNames];

    [Theory]
    [MemberData(nameof(Methods))]
    public async Task GenerateAsync_Combination_IsThePublishedOneToTheBit(string method)
    {
        await using EngineHarness harness = await StartAsync();
        CombinationOptions combination = Options(method);
        await harness.Engine.Adapters.PublishCombinationAsync(Principal.Operator, "offline", s_inputs, combination);
        GenerationRequest request = Request(3) with { Adapters = s_inputs, Combination = combination };
        (_, GeneratedToken[] expected) = await harness.RunAsync(request with { Adapters = [new("offline")], Combination = null });
        (_, GeneratedToken[] stacked) = await harness.RunAsync(request with { Combination = null });
        (Generation generation, GeneratedToken[] found) = await harness.RunAsync(request);
        Assert.Equal(expected.Select(token => (token.TokenId, token.LogProbability)), found.Select(token => (token.TokenId, token.LogProbability)));
        Assert.Equal(method == "cat", Math.Abs(stacked[0].LogProbability - found[0].LogProbability) < 1e-4f);
        Assert.Equal([("a", 1, 0.7f), ("b", 1, -0.4f)], generation.Adapters.Select(adapter => (adapter.Name, adapter.Version, adapter.Weight)));
    }

    [SkippableTheory]
    [InlineData("cat")]
    [InlineData("linear")]
    [InlineData("linear-negative")]
    [InlineData("svd")]
    [InlineData("ties")]
    [InlineData("ties-frequency")]
    [InlineData("ties_svd")]
    [InlineData("magnitude_prune")]
    [InlineData("magnitude_prune_svd")]
    public async Task GenerateAsync_CaseOfTheReference_GivesItsGreedyIds(string name)
    {
        using var index = JsonDocument.Parse(File.ReadAllBytes(SharedFiles.Require($"{Root}/weighted/index.json")));
        JsonElement entry = index.RootElement.GetProperty("cases").EnumerateArray().First(item => item.GetProperty("case").GetString() == name);
        using LoadedModel loaded = ModelLoader.Load(
            CpuDevice.Instance, SharedFiles.Require($"{Root}/{entry.GetProperty("base").GetString()}"), new ModelLoadOptions { Arithmetic = Arithmetic.Exact });
        await using var engine = new InferenceEngine(loaded, new EngineOptions { KvCacheType = ElementType.F32, KvCacheBytes = 1 << 22, Workers = 2 });
        List<AdapterReference> inputs = [];
        foreach ((JsonElement path, JsonElement weight) in entry.GetProperty("adapters").EnumerateArray().Zip(entry.GetProperty("weights").EnumerateArray()))
        {
            inputs.Add(new AdapterReference($"input{inputs.Count}", weight.GetSingle()));
            await engine.Adapters.PublishAsync(Principal.Operator, inputs[^1].Name, SharedFiles.Require($"{Root}/{path.GetString()}"));
        }

        var combination = new CombinationOptions
        {
            Method = CombinationOptions.FindMethod(entry.GetProperty("combination_type").GetString()!)!.Value,
            Density = entry.TryGetProperty("density", out JsonElement density) ? density.GetDouble() : 1,
            Rank = entry.TryGetProperty("svd_rank", out JsonElement rank) ? rank.GetInt32() : null,
            ElectByFrequency = entry.TryGetProperty("majority_sign_method", out JsonElement sign) && sign.GetString() == "frequency",
        };
        using var expected = new Golden(SharedFiles.Require($"{Root}/{entry.GetProperty("path").GetString()}/expected.safetensors"));
        Assert.True(expected.Has("prompt.0"));
        foreach (int prompt in expected.Indices(i => $"prompt.{i}"))
        {
            int[] greedy = expected.Ids($"greedy.{prompt}");
            List<int> ids = [];
            await foreach (GeneratedToken token in await engine.GenerateAsync(new GenerationRequest
            {
                PromptTokens = expected.Ids($"prompt.{prompt}"),
                Adapters = inputs,
                Combination = combination,
                Sampling = new SamplingOptions { MaxTokens = greedy.Length, IgnoreEndToken = true },
            }))
            {
                ids.Add(token.TokenId);
            }

            Assert.Equal(greedy, ids);
        }
    }

    [Fact]
    public async Task GenerateAsync_ManyAtOnceBesideOthers_ShareOneAndAnswerTheSame()
    {
        await using EngineHarness harness = await StartAsync();
        GenerationRequest request = Request(3) with { Adapters = s_inputs, Combination = Options("ties") };
        GenerationRequest[] all = [.. Enumerable.Range(0, 12).Select(i => (i % 3) switch
        {
            0 => request,
            1 => request with { Combination = Options("svd") },
            _ => request with { Combination = null },
        })];
        int[][] alone = [await harness.IdsAsync(all[0]), await harness.IdsAsync(all[1]), await harness.IdsAsync(all[2])];
        await using EngineHarness fresh = await StartAsync();
        int[][] together = await Task.WhenAll(all.Select(fresh.IdsAsync));
        Assert.All(together.Index(), answer => Assert.Equal(alone[answer.Index % 3], answer.Item));
        long resident = fresh.Engine.Adapters.ResidentBytes;
        await fresh.IdsAsync(request);
        Assert.Equal(resident, fresh.Engine.Adapters.ResidentBytes);
        Assert.Equal(["a", "b"], fresh.Engine.Adapters.List(Principal.Operator).Select(adapter => adapter.Name));
    }

    [Fact]
    public async Task GenerateAsync_EvictedAndForgotten_IsMadeAgainAndAnswersTheSame()
    {
        await using EngineHarness harness = await StartAsync(options => (options.MaxRequestCombinations, options.HostAdapterBytes) = (2, 1));
        GenerationRequest[] requests = [.. new[] { "ties", "svd", "linear", "magnitude_prune" }.Select(method => Request(3) with { Adapters = s_inputs, Combination = Options(method) })];
        int[][] first = [.. await Task.WhenAll(requests.Select(harness.IdsAsync))];

        // Room for little more than one of them at a time.
        long one = harness.Engine.Adapters.Get(Principal.Operator, "a").ResidentBytes;
        harness.Engine.Adapters.BudgetBytes = one * 3 / 2;
        for (int turn = 0; turn < 2; turn++)
        {
            for (int i = 0; i < requests.Length; i++)
            {
                Assert.Equal(first[i], await harness.IdsAsync(requests[i]));
            }
        }

        await harness.UntilAsync(() => harness.Engine.Adapters.ResidentBytes <= one * 3 / 2);
    }

    [Fact]
    public async Task Requests_ThatCannotBeCombined_AreRefusedAndLeaveNothing()
    {
        await using EngineHarness harness = await StartAsync(options => options.MaxMergedAdapters = 3);
        await harness.Engine.Adapters.PublishAsync(Principal.Operator, "wide", harness.Adapter("wide", 7, rank: 8));
        await harness.Engine.Adapters.PublishAsync(Principal.Operator, "scales", TinyAdapters.WriteScales(Path.Combine(harness.Options.AdapterRoot!, "scales"), 3));
        GenerationRequest request = Request(3) with { Adapters = s_inputs, Combination = Options("ties") };
        await RefusedAsync(request with { Adapters = [] }, "names none");
        await RefusedAsync(request with { Adapters = [new("a"), new("wide")], Combination = Options("linear") }, "ranks 4, 8");
        await RefusedAsync(request with { Adapters = [new("a"), new("scales")] }, "cannot be combined");
        await RefusedAsync(request with { Adapters = [new("a"), new("b"), new("a"), new("b")] }, "at most 3 can be");
        await RefusedAsync(request with { Combination = Options("ties") with { Density = 0 } }, "density is 0");
        await RefusedAsync(request with { Combination = Options("svd") with { Rank = 100_000 } }, "rank is 100000");
        await RefusedAsync(request with { Adapters = [new("a"), new("nobody")] }, "no adapter 'nobody'");
        Assert.NotEmpty(await harness.IdsAsync(request));
        Assert.All(harness.Engine.Adapters.List(Principal.Operator), adapter => Assert.Equal(0, adapter.InUse));

        async Task RefusedAsync(GenerationRequest bad, string words) =>
            Assert.Contains(words, (await Assert.ThrowsAsync<EngineException>(() => harness.Engine.GenerateAsync(bad))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Requests_OfTenants_CombineOnlyWhatTheyMayUse()
    {
        await using EngineHarness harness = await StartAsync();
        var alice = new Principal("alice", IsAdmin: false);
        await using (AdapterUpload upload = harness.Engine.Adapters.BeginUpload(alice, "own"))
        {
            string folder = harness.Adapter("files-of-alice", 9);
            foreach (string file in Directory.GetFiles(folder))
            {
                await upload.WriteAsync(Path.GetFileName(file), await File.ReadAllBytesAsync(file));
            }

            await upload.CompleteAsync();
        }

        GenerationRequest request = Request(3) with { Adapters = [new("a"), new("own")], Combination = Options("ties") };
        Assert.NotEmpty(await harness.IdsAsync(request with { Principal = alice }));

        // Whoever asks, its name is not for everybody.
        AdapterStack asked = await harness.Engine.Adapters.ReserveAsync(request with { Combination = Options("svd") }, default);
        harness.Engine.Adapters.Memory.RemoveUser(asked);
        Assert.True(asked.IsOwned);
        EngineException refusal = await Assert.ThrowsAsync<EngineException>(() => harness.Engine.GenerateAsync(request with { Principal = new Principal("bob", IsAdmin: false) }));
        Assert.Equal(EngineError.UnknownAdapter, refusal.Error);
    }

    private static GenerationRequest Request(int seed) => EngineHarness.Request(seed, 25, sampling: new SamplingOptions { LogProbabilities = 0 });

    private static CombinationOptions Options(string method) => new() { Method = CombinationOptions.FindMethod(method)!.Value, Density = 0.6, Seed = 5 };

    private static async Task<EngineHarness> StartAsync(Action<EngineOptions>? configure = null)
    {
        var harness = new EngineHarness(configure);
        await harness.Engine.Adapters.PublishAsync(Principal.Operator, "a", harness.Adapter("a", 5));
        await harness.Engine.Adapters.PublishAsync(Principal.Operator, "b", harness.Adapter("b", 6));
        return harness;
    }
}
