using System.Text.Json.Nodes;
using LoraServe.Serving.Requests;
using LoraServe.Serving.Store;
using LoraServe.Testing;

namespace LoraServe.Serving.Tests;

/// <summary>Adapters of several tasks: each request is for one of them.</summary>
public sealed class TasksTests
{
    private static readonly int[][] s_tasks = [.. Enumerable.Range(1, 3).Select(task => TinyModel.Tokens(task, 17, TinyModel.DefaultSpec.VocabularySize))];
    private static readonly int[] s_prompt = TinyModel.Tokens(9, 30, TinyModel.DefaultSpec.VocabularySize);

    private static GenerationRequest Request(string adapter) => new()
    {
        PromptTokens = s_prompt,
        Adapters = AdapterReference.ParseStack(adapter),
        Sampling = new SamplingOptions { MaxTokens = 8, LogProbabilities = 1 },
    };

    [SkippableTheory]
    [MemberData(nameof(Devices.Names), MemberType = typeof(Devices))]
    public async Task GenerateAsync_TasksTogetherAndOneAfterAnother_AnswerAsAfterTheirTokens(string device)
    {
        await using var harness = new EngineHarness(device: device);
        await PublishAsync(harness);
        await harness.Engine.Adapters.PublishAsync(Principal.Operator, "a", harness.Adapter("a", 5));
        string[] names = [.. Enumerable.Range(0, 3).SelectMany(task => (string[])[$"many#{task}", $"many@1#{task}+a:0.5"])];
        for (int turn = 0; turn < 2; turn++) // the second finds what the first left in the prefix cache
        {
            (Generation Generation, GeneratedToken[] Tokens)[] answers = await Task.WhenAll(names.Select(name => harness.RunAsync(Request(name))));
            for (int i = 0; i < names.Length; i++)
            {
                int task = i / 2;
                GenerationRequest plain = Request(i % 2 == 0 ? "" : "a:0.5");
                GeneratedToken[] expected = (await harness.RunAsync(plain with { PromptTokens = [.. s_tasks[task], .. s_prompt] })).Tokens;
                Assert.Equal(expected.Select(token => token.TokenId), answers[i].Tokens.Select(token => token.TokenId));
                Assert.All(expected.Zip(answers[i].Tokens), pair => Assert.Equal(pair.First.LogProbability, pair.Second.LogProbability, harness.IsBatchInvariant && i % 2 == 0 ? 0 : 1e-3f));
                Assert.Equal(task, answers[i].Generation.Adapters[0].Task);
            }
        }
    }

    [Fact]
    public async Task Requests_ForNoTaskOrOneThatIsNotThere_AreRefusedNamingThem()
    {
        await using var harness = new EngineHarness();
        await PublishAsync(harness);
        await harness.Engine.Adapters.PublishAsync(Principal.Operator, "a", harness.Adapter("a", 5));
        await RefusedAsync("many", "'many' is for 3 tasks", "many#0 to many#2");
        await RefusedAsync("many#3", "'many' has no task 3", "many#0 to many#2");
        await RefusedAsync("a#1", "'a' has no task 1", "leave the number away");
        await RefusedAsync("nobody#1", "no adapter 'nobody'");
        Assert.Equal(8, (await harness.RunAsync(Request("a#0"))).Tokens.Length);
        Assert.Equal((0, 3), (harness.Engine.Adapters.Get(Principal.Operator, "many").InUse, harness.Engine.Adapters.Get(Principal.Operator, "many").Tasks));

        async Task RefusedAsync(string adapter, params string[] words)
        {
            EngineException refusal = await Assert.ThrowsAsync<EngineException>(() => harness.Engine.GenerateAsync(Request(adapter)));
            Assert.All(words, word => Assert.Contains(word, refusal.Message, StringComparison.Ordinal));
            await Assert.ThrowsAsync<EngineException>(() => harness.Engine.ScoreAsync(new ScoreRequest { PromptTokens = s_prompt, Adapters = Request(adapter).Adapters }));
            await Assert.ThrowsAsync<EngineException>(() => harness.Engine.EmbedAsync(new EmbedRequest { InputTokens = [s_prompt], Adapters = Request(adapter).Adapters }));
        }
    }

    [Fact]
    public async Task Engine_StartedAgain_StillKnowsTheTasks()
    {
        using var folder = new TemporaryDirectory();
        await using (var first = new EngineHarness(folder: folder.Path))
        {
            await PublishAsync(first);
            first.Engine.Adapters.SetAlias(Principal.Operator, "task", "many@1");
        }

        await using var second = new EngineHarness(folder: folder.Path);
        Assert.Equal(await second.IdsAsync(Request("many#2")), await second.IdsAsync(Request("task#2")));
        Assert.NotEqual(await second.IdsAsync(Request("many#1")), await second.IdsAsync(Request("task#2")));
    }

    [Fact]
    public async Task Engine_StartedWithAListOfAnOlderServer_TakesWhatItDoesNotSayAsUsual()
    {
        using var folder = new TemporaryDirectory();
        int[] before;
        await using (var first = new EngineHarness(folder: folder.Path))
        {
            await first.Engine.Adapters.PublishAsync(Principal.Operator, "a", first.Adapter("a", 5));
            before = await first.IdsAsync(Request("a"));
        }

        string list = Path.Combine(folder.Path, "store", "adapters.json");
        JsonNode state = JsonNode.Parse(await File.ReadAllTextAsync(list))!;
        JsonObject version = state["Versions"]![0]!.AsObject();
        Assert.All(["Tasks", "SharedParts", "EndTokens", "ShownPath", "ScalingPass"], (string name) => Assert.True(version.Remove(name)));
        await File.WriteAllTextAsync(list, state.ToJsonString());

        await using var second = new EngineHarness(folder: folder.Path);
        Assert.Equal(1, second.Engine.Adapters.Get(Principal.Operator, "a").Tasks);
        Assert.Equal(before, await second.IdsAsync(Request("a")));
        second.Engine.Adapters.SetAlias(Principal.Operator, "b", "a"); // written again
        Assert.Empty(Directory.GetFiles(Path.Combine(folder.Path, "store"), "*damaged*"));
    }

    private static Task<PublishResult> PublishAsync(EngineHarness harness) =>
        harness.Engine.Adapters.PublishAsync(Principal.Operator, "many", TinyAdapters.WriteTasks(Path.Combine(harness.Options.AdapterRoot!, "many"), s_tasks));
}
