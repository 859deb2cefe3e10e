using System.Net.Sockets;
using Grpc.Core;
using Grpc.Net.Client;
using LoraServe.V1;

namespace LoraServe.EndToEnd.Tests.Setup;

/// <summary>A caller with a connection of its own that does not stay for its answer.</summary>
internal static class VanishingClient
{
    /// <summary>Reads the first tokens of a long answer, then cancels the call, or has its connection torn down.</summary>
    public static async Task AskAsync(TestServer server, string adapter, bool withoutGoodbye)
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
        GenerateRequest request = Ask.For(adapter, tokens: 480);
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
