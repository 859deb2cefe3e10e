using System.Net.Sockets;
using Grpc.Core;
using Grpc.Net.Client;
using LoraServe.EndToEnd.Tests.Setup;
using LoraServe.V1;

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
                await VanishAsync(server, withoutGoodbye);
            }
        });
        await server.IdleAsync();
        await Eventually.TrueAsync(() => server.Engine.Adapters.Get("a").InUse == 0, () => "the adapter is still leased");
        using var http = new HttpClient();
        string page = await http.GetStringAsync(new Uri(server.Host.HttpAddress, "metrics"));
        Assert.Contains("loraserve_kv_pages{state=\"used\"} 0\n", page, StringComparison.Ordinal);
    }

    /// <summary>Reads the first tokens of a long answer, then cancels the call, or has its connection torn down.</summary>
    private static async Task VanishAsync(TestServer server, bool withoutGoodbye)
    {
        Socket? socket = null;
        using var handler = new SocketsHttpHandler
        {
            ConnectCallback = async (context, cancellationToken) =>
            {
                socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { LingerState = new LingerOption(true, 0) };
                await socket.ConnectAsync(context.DnsEndPoint, cancellationToken);
                return new NetworkStream(socket, ownsSocket: true);
            },
        };
        using var channel = GrpcChannel.ForAddress(server.Host.Address, new GrpcChannelOptions { HttpHandler = handler });
        GenerateRequest request = Ask.For("a", tokens: 480);
        request.Sampling.N = 4;
        using AsyncServerStreamingCall<GenerateChunk> call = new Inference.InferenceClient(channel).GenerateStream(request);
        Assert.True(await call.ResponseStream.MoveNext(default));
        Assert.True(await call.ResponseStream.MoveNext(default));
        if (withoutGoodbye)
        {
            socket!.Close(0);
        }
    }
}
