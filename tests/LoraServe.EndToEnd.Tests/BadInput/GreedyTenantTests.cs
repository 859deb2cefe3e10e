using System.Security.Cryptography;
using System.Text;
using Grpc.Core;
using LoraServe.Client;
using LoraServe.EndToEnd.Tests.Setup;
using LoraServe.Server.Access;
using LoraServe.Serving.Options;
using LoraServe.V1;

namespace LoraServe.EndToEnd.Tests.BadInput;

/// <summary>One tenant takes what it can get; the other notices nothing.</summary>
public class GreedyTenantTests
{
    [Fact]
    public async Task Generate_WhileAnotherTenantKeepsTheQueueFull_IsTakenEachTime()
    {
        await using TestServer server = await StartAsync(options => (options.MaxQueuedRequests, options.MaxRunningSequences) = (8, 1));
        LoraServeClient modest = server.ClientWith("modest");
        using var stop = new CancellationTokenSource();
        Task[] greedy = [.. Enumerable.Range(0, 16).Select(seed => AskUntilAsync(server.ClientWith("greedy"), seed, stop.Token))];
        await Eventually.TrueAsync(() => server.Engine.Status.QueuedRequests == 7, () => $"the queue does not fill: {server.Engine.Status}");

        for (int i = 0; i < 10; i++)
        {
            GenerateResponse answer = await modest.Inference.GenerateAsync(Ask.For("", seed: i, tokens: 3));
            Assert.Equal(3, answer.Choices[0].TokenIds.Count);
        }

        await stop.CancelAsync();
        await Task.WhenAll(greedy);
        await server.IdleAsync();
    }

    [Theory]
    [InlineData(false, 0)]
    [InlineData(true, 16)]
    public async Task Usage_OfAPromptThatAnotherTenantSent_TellsOfItOnlyWhereTheCacheIsShared(bool shared, uint expected)
    {
        await using TestServer server = await StartAsync(options => options.SharePrefixCache = shared);
        LoraServeClient first = server.ClientWith("greedy");
        LoraServeClient other = server.ClientWith("modest");

        Assert.Equal(0u, (await first.Inference.GenerateAsync(Ask.For(""))).Usage.CachedPromptTokens);
        Assert.Equal(expected, (await other.Inference.GenerateAsync(Ask.For(""))).Usage.CachedPromptTokens);
        Assert.Equal(16u, (await first.Inference.GenerateAsync(Ask.For(""))).Usage.CachedPromptTokens);
    }

    [Fact]
    public async Task Merge_OfMoreThanMayBe_IsRefusedAtOnce()
    {
        await using TestServer server = await StartAsync(_ => { });
        LoraServeClient greedy = server.ClientWith("greedy");
        await greedy.UploadAdapterAsync("a", server.WriteAdapter("files", 1));

        await Refused.WithAsync(StatusCode.InvalidArgument, greedy.Adapters.MergeAsync(Merge(60, "svd", rank: 16)), "60 adapters are to be combined; at most 32 can be");
        await Refused.WithAsync(StatusCode.InvalidArgument, greedy.Adapters.MergeAsync(Merge(20_000, "linear")), "20000 adapters");
        await Refused.WithAsync(StatusCode.InvalidArgument, greedy.Adapters.MergeAsync(Merge(32, "cat")), $"rank 128; expected at most {TinyFiles.Width}");
        await Refused.WithAsync(StatusCode.InvalidArgument, greedy.Adapters.MergeAsync(Merge(2, "svd", rank: uint.MaxValue)), "rank is 4294967295");
        Assert.Equal("m", (await greedy.Adapters.MergeAsync(Merge(32, "svd", rank: 16))).Adapter.Name);
    }

    private static MergeAdaptersRequest Merge(int inputs, string method, uint? rank = null)
    {
        var request = new MergeAdaptersRequest { Name = "m", Method = method };
        request.Inputs.AddRange(Enumerable.Range(0, inputs).Select(_ => new MergeInput { Name = "a" }));
        if (rank is { } given)
        {
            request.Rank = given;
        }

        return request;
    }

    /// <summary>Asks again and again, whatever comes.</summary>
    private static async Task AskUntilAsync(LoraServeClient client, int seed, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await client.Inference.GenerateAsync(Ask.For("", seed, tokens: 200), cancellationToken: stop);
            }
            catch (RpcException refusal)
            {
                Assert.Contains(refusal.StatusCode, new[] { StatusCode.ResourceExhausted, StatusCode.Cancelled });
            }
        }
    }

    private static Task<TestServer> StartAsync(Action<EngineOptions> configure)
    {
        var access = new AccessOptions();
        foreach (string name in new[] { "greedy", "modest" })
        {
            access.Keys.Add(new AccessKey { Sha256 = Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(name))), Tenant = name });
        }

        return TestServer.StartTinyAsync(configure, access: access);
    }
}
