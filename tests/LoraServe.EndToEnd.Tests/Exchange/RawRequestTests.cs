using System.Net;
using Google.Protobuf;
using Grpc.Core;
using LoraServe.EndToEnd.Tests.Setup;
using LoraServe.V1;

namespace LoraServe.EndToEnd.Tests.Exchange;

/// <summary>What the server makes of HTTP/2 requests that no gRPC client would send.</summary>
public class RawRequestTests
{
    private const string Tokenize = "loraserve.v1.Inference/Tokenize";
    private const string Generate = "loraserve.v1.Inference/Generate";

    [Fact]
    public async Task Body_NotAsTheProtocolSays_GetsItsStatusAndDisturbsNobody()
    {
        (string What, byte[] Body, StatusCode Expected)[] cases =
        [
            ("nothing", [], StatusCode.Internal),
            ("half a frame header", [0, 0, 0], StatusCode.Internal),
            ("a flag that does not exist", RawCall.Frame([], flag: 7), StatusCode.Internal),
            ("a length of 4 GiB", [0, 255, 255, 255, 255, 1, 2], StatusCode.Internal),
            ("a length over the limit", [0, 0, 64, 0, 1, 1, 2], StatusCode.ResourceExhausted),
            ("a length that the body does not have", [0, 0, 0, 1, 0, 1, 2], StatusCode.Internal),
            ("a protobuf with a string that ends early", RawCall.Frame([0x0A, 100, 1]), StatusCode.Internal),
            ("a protobuf with a string of 2 GiB", RawCall.Frame([0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0x07]), StatusCode.Internal),
            ("a protobuf with groups without end", RawCall.Frame([.. Enumerable.Repeat((byte)0x2B, 10_000)]), StatusCode.Internal),
            ("a protobuf with wrong UTF-8", RawCall.Frame([0x0A, 1, 0xFF]), StatusCode.Internal),
            ("two messages", [.. RawCall.Frame([]), .. RawCall.Frame([])], StatusCode.Internal),
            ("a compressed message without an encoding", RawCall.Frame(RawCall.Gzip([]), flag: 1), StatusCode.Internal),
            ("one empty message", RawCall.Frame([]), StatusCode.OK),
        ];
        await using TestServer server = await TestServer.StartTinyAsync();
        Bystanders bystanders = await Bystanders.AskQuietlyAsync(server);
        await bystanders.UndisturbedByAsync(async () =>
        {
            foreach ((string what, byte[] body, StatusCode expected) in cases)
            {
                RawAnswer answer = await RawCall.SendAsync(server, Tokenize, body);
                Assert.True(answer.Status == expected, $"{what}: {answer.Status} {answer.Message}");
            }
        });
    }

    [Fact]
    public async Task Body_AboveTheLimitInEitherForm_IsRefusedWithTheLimit()
    {
        await using TestServer server = await TestServer.StartTinyAsync(server: options => options.MaxReceiveMessageBytes = 100_000);
        byte[] bomb = RawCall.Gzip(new TokenizeRequest { Text = new string('x', 50_000_000) }.ToByteArray());
        Assert.True(bomb.Length < 100_000);
        (byte[] Body, (string, string)? Header)[] cases =
        [
            (RawCall.Frame(new TokenizeRequest { Text = new string('x', 100_001) }), null),
            (RawCall.Frame(bomb, flag: 1), ("grpc-encoding", "gzip")),
        ];
        foreach ((byte[] body, (string, string)? header) in cases)
        {
            RawAnswer answer = await RawCall.SendAsync(server, Tokenize, body, header);
            Assert.Equal(StatusCode.ResourceExhausted, answer.Status);
            Assert.Contains("100000", answer.Message, StringComparison.Ordinal);
            Assert.Contains("MaxReceiveMessageBytes", answer.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Body_Compressed_IsReadAsIfItWereNot()
    {
        await using TestServer server = await TestServer.StartTinyAsync();
        byte[] message = new TokenizeRequest { Text = "Hello there" }.ToByteArray();
        Assert.Equal(StatusCode.OK, (await RawCall.SendAsync(server, Tokenize, RawCall.Frame(RawCall.Gzip(message), flag: 1), ("grpc-encoding", "gzip"))).Status);
        Assert.Equal(StatusCode.OK, (await RawCall.SendAsync(server, Tokenize, RawCall.Frame(message), ("grpc-encoding", "gzip"))).Status);
        Assert.Equal(StatusCode.Internal, (await RawCall.SendAsync(server, Tokenize, RawCall.Frame([1, 2, 3], flag: 1), ("grpc-encoding", "gzip"))).Status);
        RawAnswer unknown = await RawCall.SendAsync(server, Tokenize, RawCall.Frame(message, flag: 1), ("grpc-encoding", "zstd"));
        Assert.Equal(StatusCode.Unimplemented, unknown.Status);
        Assert.Contains("gzip", unknown.Headers["grpc-accept-encoding"], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("10")]
    [InlineData("S")]
    [InlineData("123456789S")]
    [InlineData("-1S")]
    [InlineData("1x")]
    public async Task Timeout_Malformed_IsInternal(string timeout)
    {
        await using TestServer server = await TestServer.StartTinyAsync();
        RawAnswer answer = await RawCall.SendAsync(server, Tokenize, RawCall.Frame([]), ("grpc-timeout", timeout));
        Assert.Equal(StatusCode.Internal, answer.Status);
        Assert.Contains("grpc-timeout", answer.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("1n")]
    [InlineData("0m")]
    [InlineData("1u")]
    public async Task Timeout_HardlyAny_EndsTheCallWithoutAnAnswer(string timeout)
    {
        await using TestServer server = await TestServer.StartTinyAsync();
        RawAnswer answer = await RawCall.SendAsync(server, Generate, RawCall.Frame(Ask.For("", tokens: 400)), ("grpc-timeout", timeout));
        Assert.Equal(StatusCode.DeadlineExceeded, answer.Status);
        Assert.Equal(0, answer.BodyLength);
        await server.IdleAsync();
    }

    [Fact]
    public async Task Metadata_ThatNobodyReads_IsNobodysConcern()
    {
        await using TestServer server = await TestServer.StartTinyAsync();
        foreach (string value in new[] { "not base64!", "AAE", "AAE=,AQ" })
        {
            Assert.Equal(StatusCode.OK, (await RawCall.SendAsync(server, Tokenize, RawCall.Frame([]), ("trace-bin", value))).Status);
        }
    }

    [Fact]
    public async Task Method_Unknown_IsUnimplemented()
    {
        await using TestServer server = await TestServer.StartTinyAsync();
        Assert.Equal(StatusCode.Unimplemented, (await RawCall.SendAsync(server, "loraserve.v1.Inference/Shout", RawCall.Frame([]))).Status);
        Assert.Equal(StatusCode.Unimplemented, (await RawCall.SendAsync(server, "no.Service/Method", RawCall.Frame([]))).Status);
    }

    [Fact]
    public async Task ContentType_NotGrpc_IsRefusedByHttpStatus()
    {
        await using TestServer server = await TestServer.StartTinyAsync();
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, (await RawCall.SendAsync(server, Tokenize, RawCall.Frame([]), contentType: "application/json")).Http);
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, (await RawCall.SendAsync(server, Tokenize, RawCall.Frame([]), contentType: "application/grpc-web")).Http);
        Assert.Equal(HttpStatusCode.NotFound, (await RawCall.SendAsync(server, "a/b", RawCall.Frame([]), contentType: "application/json")).Http);
        Assert.Equal(StatusCode.OK, (await RawCall.SendAsync(server, Tokenize, RawCall.Frame([]), contentType: "application/grpc+proto")).Status);
    }

    [Fact]
    public async Task Refusal_OfAUnaryCall_IsTrailersOnlyAndPercentEncoded()
    {
        await using TestServer server = await TestServer.StartTinyAsync();
        RawAnswer answer = await RawCall.SendAsync(server, "loraserve.v1.Adapters/Get", RawCall.Frame(new GetAdapterRequest { Name = "nonesuch" }));
        Assert.Equal(StatusCode.NotFound, answer.Status);
        Assert.Contains("'nonesuch'", answer.Message, StringComparison.Ordinal);
        Assert.All(answer.Headers["grpc-message"], c => Assert.InRange(c, ' ', '~'));
        Assert.Equal(0, answer.BodyLength);
    }
}
