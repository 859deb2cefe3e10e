using Grpc.Core;
using LoraServe.EndToEnd.Tests.Setup;
using LoraServe.V1;

namespace LoraServe.EndToEnd.Tests.BadInput;

/// <summary>More requests than there is room for.</summary>
public class LoadTests
{
    [Fact]
    public async Task Generate_TenTimesWhatTheQueueTakes_RestIsRefusedWithAHintAndAcceptedOnesFinish()
    {
        const int Room = 8;
        await using TestServer server = await TestServer.StartTinyAsync(options =>
        {
            options.MaxQueuedRequests = Room;
            options.MaxRunningSequences = 2;
        });
        await server.LoadAsync(("a", 1));
        GenerateRequest[] requests = [.. Enumerable.Range(0, 10 * Room).Select(i => Ask.For(i % 2 == 0 ? "a" : "", seed: i % 4, tokens: 100))];
        Answer[] quiet = [.. (await Task.WhenAll(requests.Take(4).Select(server.AskAsync)))];

        (Answer? Answer, RpcException? Refusal)[] outcomes = await Task.WhenAll(requests.Select(async request =>
        {
            try
            {
                return (await server.AskAsync(request), (RpcException?)null);
            }
            catch (RpcException refusal)
            {
                return ((Answer?)null, refusal);
            }
        }));

        for (int i = 0; i < outcomes.Length; i++)
        {
            if (outcomes[i].Refusal is { } refusal)
            {
                Assert.Equal(StatusCode.ResourceExhausted, refusal.StatusCode);
                Assert.InRange(int.Parse(refusal.Trailers.GetValue("grpc-retry-pushback-ms")!, System.Globalization.CultureInfo.InvariantCulture), 1, 600_000);
                Assert.Contains("requests wait", refusal.Status.Detail, StringComparison.Ordinal);
            }
            else
            {
                Assert.Equal(quiet[i % 4], outcomes[i].Answer);
            }
        }

        Assert.InRange(outcomes.Count(outcome => outcome.Answer is not null), Room, requests.Length - Room);
        await server.IdleAsync();
        Assert.Equal(quiet[0], await server.AskAsync(requests[0]));
    }

    [Fact]
    public async Task Generate_MorePagesWantedThanThereAre_EveryRequestIsAnsweredAsAlone()
    {
        // Room for about three of the sequences: the others wait, or lose their pages and are computed again.
        await using TestServer server = await TestServer.StartTinyAsync(options => options.KvCacheBytes = 64 * 16 * 2 * 2 * 2 * 16);
        await server.LoadAsync(("a", 1));
        GenerateRequest[] requests = [.. Enumerable.Range(0, 12).Select(i => Ask.For(i % 2 == 0 ? "a" : "", seed: i, promptTokens: 100, tokens: 60))];
        List<Answer> quiet = [];
        foreach (GenerateRequest request in requests)
        {
            quiet.Add(await server.AskAsync(request));
        }

        Assert.Equal(quiet, await Task.WhenAll(requests.Select(server.AskAsync)));
        await server.IdleAsync();
    }
}
