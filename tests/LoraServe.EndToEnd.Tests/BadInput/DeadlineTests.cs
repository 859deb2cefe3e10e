using System.Net;
using Google.Protobuf;
using Grpc.Core;
using LoraServe.EndToEnd.Tests.Setup;
using LoraServe.V1;

namespace LoraServe.EndToEnd.Tests.BadInput;

/// <summary>Deadlines that have passed, or pass while an answer is generated.</summary>
public class DeadlineTests
{
    [Fact]
    public async Task Generate_DeadlineInThePast_IsRefusedByTheClient()
    {
        await using TestServer server = await TestServer.StartTinyAsync();
        await Refused.WithAsync(StatusCode.DeadlineExceeded, server.Client.Inference.GenerateAsync(Ask.For(""), deadline: DateTime.UtcNow.AddSeconds(-1)));
    }

    [Theory]
    [InlineData("1n")]
    [InlineData("0m")]
    public async Task Generate_HardlyAnyTimeLeft_IsRefusedByTheServer(string timeout)
    {
        await using TestServer server = await TestServer.StartTinyAsync();
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(server.Host.Address, "loraserve.v1.Inference/Generate"))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent(Framed(Ask.For("", tokens: 400))),
        };
        request.Content.Headers.ContentType = new("application/grpc");
        request.Headers.Add("grpc-timeout", timeout);
        request.Headers.TE.Add(new("trailers"));
        using HttpResponseMessage response = await http.SendAsync(request);
        await response.Content.ReadAsByteArrayAsync();
        string status = response.TrailingHeaders.Concat(response.Headers).First(header => header.Key == "grpc-status").Value.First();
        Assert.Equal(((int)StatusCode.DeadlineExceeded).ToString(System.Globalization.CultureInfo.InvariantCulture), status);
        await server.IdleAsync();
    }

    [Fact]
    public async Task GenerateStream_DeadlineWhileGenerating_EndsTheAnswerAndFreesItsPages()
    {
        await using TestServer server = await TestServer.StartTinyAsync();
        await server.LoadAsync(("a", 1));
        Bystanders bystanders = await Bystanders.AskQuietlyAsync(server, "a");
        await bystanders.UndisturbedByAsync(async () =>
        {
            // The reader stops after the first token, so that the answer cannot end in time.
            GenerateRequest request = Ask.For("a", promptTokens: 10, tokens: 500);
            request.Sampling.N = 8;
            using AsyncServerStreamingCall<GenerateChunk> call = server.Client.Inference.GenerateStream(request, deadline: DateTime.UtcNow.AddSeconds(0.3));
            await Refused.WithAsync(StatusCode.DeadlineExceeded, async () =>
            {
                while (await call.ResponseStream.MoveNext(default))
                {
                    Assert.Null(call.ResponseStream.Current.Usage);
                    await Task.Delay(1);
                }
            });
        });
        await server.IdleAsync();
    }

    private static byte[] Framed(IMessage message)
    {
        byte[] body = message.ToByteArray();
        byte[] length = BitConverter.GetBytes(IPAddress.HostToNetworkOrder(body.Length));
        return [0, .. length, .. body];
    }
}
