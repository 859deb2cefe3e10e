using LoraServe.EndToEnd.Tests.Setup;
using LoraServe.Serving;
using LoraServe.Serving.Requests;

namespace LoraServe.EndToEnd.Tests.BadInput;

/// <summary>Callers that are gone before their answer is complete.</summary>
public class VanishingClientTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task GenerateStream_ClientVanishes_FreesPagesAndDisturbsNobody(bool withoutGoodbye)
    {
        await using TestServer server = await TestServer.StartTinyAsync();
        await server.LoadAsync(("a", 1));
        Bystanders bystanders = await Bystanders.AskQuietlyAsync(server, "a");
        await bystanders.UndisturbedByAsync(async () =>
        {
            for (int i = 0; i < 5; i++)
            {
                await VanishingClient.AskAsync(server, "a", withoutGoodbye);
            }
        });
        await server.IdleAsync();
        await Eventually.TrueAsync(() => server.Engine.Adapters.Get(Principal.Operator, "a").InUse == 0, () => "the adapter is still leased");
        using var http = new HttpClient();
        string page = await http.GetStringAsync(new Uri(server.Host.HttpAddress, "metrics"));
        Assert.Contains("loraserve_kv_pages{state=\"used\"} 0\n", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Generate_CancelledTheMomentItComes_DisturbsNobody()
    {
        await using TestServer server = await TestServer.StartTinyAsync();
        await server.LoadAsync(("a", 1));
        Bystanders bystanders = await Bystanders.AskQuietlyAsync(server, "a");
        var request = new GenerationRequest
        {
            PromptTokens = [1, 2, 3],
            Adapters = [new AdapterReference("a")],
            Sampling = new SamplingOptions { MaxTokens = 200, IgnoreEndToken = true },
        };
        int[] whole = await TokensAsync(default);
        using var gone = new CancellationTokenSource();
        await gone.CancelAsync();
        int cancelled = 0;
        await bystanders.UndisturbedByAsync(() => Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
        {
            for (int i = 0; i < 1000; i++)
            {
                // Who is held up between sending and cancelling may get an answer yet; then it is the right one.
                try
                {
                    Assert.Equal(whole, await TokensAsync(gone.Token));
                }
                catch (OperationCanceledException)
                {
                    Interlocked.Increment(ref cancelled);
                }
            }
        }))));
        Assert.NotEqual(0, cancelled);
        await server.IdleAsync();

        async Task<int[]> TokensAsync(CancellationToken cancellationToken)
        {
            Generation generation = await server.Engine.GenerateAsync(request, cancellationToken);
            return await generation.Select(token => token.TokenId).ToArrayAsync(CancellationToken.None);
        }
    }
}
