using System.Diagnostics;
using Grpc.Core;
using LoraServe.EndToEnd.Tests.Setup;
using LoraServe.Serving.Requests;
using LoraServe.V1;
using Xunit.Abstractions;

namespace LoraServe.EndToEnd.Tests.Lifecycle;

/// <summary>What users of other servers report: answers from another version, stale caches, touched base rows.</summary>
public class ReloadStormTests(ITestOutputHelper output)
{
    private const int Clients = 8;
    private static readonly TimeSpan s_duration = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan s_between = TimeSpan.FromSeconds(0.1);

    [Fact]
    public async Task Reloads_TenPerSecondUnderFullLoad_NoAnswerFromAnotherAdapterOrVersion()
    {
        string[] names = ["x", "y", "z"];
        await using TestServer server = await TestServer.StartTinyAsync();
        KnownContents known = await KnownContents.LearnAsync(server, count: 6);
        foreach (string name in names)
        {
            await server.Client.Adapters.LoadAsync(new LoadAdapterRequest { Name = name, Path = known.Folders[0] });
        }

        await server.Client.Adapters.SetAliasAsync(new SetAliasRequest { Alias = "best", Target = "x@1" });
        using var over = new CancellationTokenSource();
        Task<int>[] clients = [.. Enumerable.Range(0, Clients).Select(client => Task.Run(() => AskAsync(server, known, [.. names, "best", ""], client, over.Token)))];
        int reloads = await ReloadAsync(server, known, names);
        await over.CancelAsync();
        int answers = (await Task.WhenAll(clients)).Sum();
        IEnumerable<string> last = server.Engine.Adapters.List(Principal.Operator).Where(adapter => adapter.IsLatest).Select(adapter => $"{adapter.Name}@{adapter.Version}");
        output.WriteLine($"{answers} answers during {reloads} reloads; the last versions are {string.Join(", ", last)}");
        Assert.True(answers > 10 * Clients);
        await server.IdleAsync();
    }

    [Fact]
    public async Task Publish_WhileARequestRuns_TheRequestEndsOnItsVersion()
    {
        await using TestServer server = await TestServer.StartTinyAsync();
        await server.LoadAsync(("a", 1));
        GenerateRequest request = Ask.For("a", promptTokens: 10, tokens: 400);
        Answer first = await server.AskAsync(request);
        using AsyncServerStreamingCall<GenerateChunk> call = server.Client.Inference.GenerateStream(request);
        Assert.True(await call.ResponseStream.MoveNext(default));
        List<GenerateChunk> chunks = [call.ResponseStream.Current];
        server.WriteAdapter("next", 2);
        await server.Client.Adapters.LoadAsync(new LoadAdapterRequest { Name = "a", Path = "next", ExpectedVersion = 1 });
        await server.Client.Adapters.UnloadAsync(new UnloadAdapterRequest { Name = "a@1" });
        Answer second = await server.AskAsync(request);
        while (await call.ResponseStream.MoveNext(default))
        {
            chunks.Add(call.ResponseStream.Current);
        }

        Assert.Equal(first, Answer.Of(chunks));
        Assert.NotEqual(first.Digest, second.Digest);
        Assert.NotEqual(first.Tokens, second.Tokens);
    }

    private static async Task<int> ReloadAsync(TestServer server, KnownContents known, string[] names)
    {
        var random = new Random(1);
        using var timer = new PeriodicTimer(s_between);
        int reloads = 0;
        for (long begun = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(begun) < s_duration; reloads++)
        {
            string name = names[reloads % names.Length];
            string folder = known.Folders[random.Next(known.Folders.Count)];
            LoadAdapterResponse published = reloads % 2 == 0
                ? await server.Client.Adapters.LoadAsync(new LoadAdapterRequest { Name = name, Path = folder })
                : await server.Client.UploadAdapterAsync(name, Path.Combine(server.AdapterRoot, folder));
            if (reloads % 5 == 0)
            {
                await server.Client.Adapters.SetAliasAsync(new SetAliasRequest { Alias = "best", Target = $"{name}@{published.Adapter.Version}" });
            }

            await timer.WaitForNextTickAsync();
        }

        return reloads;
    }

    private static async Task<int> AskAsync(TestServer server, KnownContents known, string[] names, int client, CancellationToken over)
    {
        var random = new Random(client);
        int answers = 0;
        for (; !over.IsCancellationRequested; answers++)
        {
            int prompt = random.Next(KnownContents.Prompts);
            string name = names[random.Next(names.Length)];
            Answer answer = await server.AskAsync(KnownContents.Request(name, prompt));
            Assert.Equal(name.Length == 0, answer.Digest.Length == 0);
            known.Check(answer, prompt);
        }

        return answers;
    }
}
