using LoraServe.EndToEnd.Tests.Setup;
using LoraServe.Serving;

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
        var request = new GenerationRequest { PromptTokens = [1, 2, 3], Adapters = [new AdapterReference("a")] };
        using var gone = new CancellationTokenSource();
        await gone.CancelAsync();
        await bystanders.UndisturbedByAsync(() => Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
        {
            for (int i = 0; i < 1000; i++)
            {
                await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
                {
                    await foreach (GeneratedToken token in await server.Engine.GenerateAsync(request, gone.Token))
                    {
                    }
                });
            }
        }))));
        await server.IdleAsync();
    }
}
