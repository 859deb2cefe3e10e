using System.Buffers.Binary;
using System.Globalization;
using System.IO.Compression;
using System.Net;
using Google.Protobuf;
using Grpc.Core;
using LoraServe.Grpc.Wire;

namespace LoraServe.Grpc.Tests.Server;

/// <summary>What the server makes of HTTP/2 requests that no gRPC client would send.</summary>
public sealed class RawRequestTests
{
    private const string Say = "/loraserve.testing.Echo/Say";

    public static TheoryData<string, byte[], StatusCode> WrongBodies => new()
    {
        { "nothing", [], StatusCode.Internal },
        { "half a frame header", [0, 0, 0], StatusCode.Internal },
        { "a flag that does not exist", Frame([], flag: 7), StatusCode.Internal },
        { "a length of 4 GiB", [0, 255, 255, 255, 255, 1, 2], StatusCode.ResourceExhausted },
        { "a length over the limit", [0, 0, 64, 0, 1, 1, 2], StatusCode.ResourceExhausted },
        { "a length that the body does not have", [0, 0, 0, 1, 0, 1, 2], StatusCode.Internal },
        { "a protobuf with a string that ends early", Frame([0x0A, 100, 1]), StatusCode.Internal },
        { "a protobuf with a string of 2 GiB", Frame([0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0x07]), StatusCode.Internal },
        { "a protobuf with groups without end", Frame([.. Enumerable.Repeat((byte)0x2B, 10_000)]), StatusCode.Internal },
        { "a protobuf with wrong UTF-8", Frame([0x0A, 1, 0xFF]), StatusCode.OK },
        { "two messages", [.. Frame([]), .. Frame([])], StatusCode.Internal },
        { "a compressed message without an encoding", Frame(Gzip([]), flag: 1), StatusCode.Internal },
        { "one empty message", Frame([]), StatusCode.OK },
    };

    [Theory]
    [MemberData(nameof(WrongBodies))]
    public async Task Body_NotAsTheProtocolSays_GetsItsStatus(string what, byte[] body, StatusCode expected)
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync();
        Answer answer = await SendAsync(server, Say, body);
        Assert.True(answer.Status == expected, $"{what}: {answer}");
        Assert.Equal("still here", (await server.Client().SayAsync(new EchoRequest { Text = "still here" })).Text);
    }

    [Fact]
    public async Task Body_CompressedBadly_GetsItsStatus()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync(options => options.MaxReceiveMessageSize = 100_000);
        byte[] message = new EchoRequest { Text = "x" }.ToByteArray();
        Assert.Equal(StatusCode.OK, (await SendAsync(server, Say, Frame(Gzip(message), flag: 1), ("grpc-encoding", "gzip"))).Status);
        Assert.Equal(StatusCode.OK, (await SendAsync(server, Say, Frame(message), ("grpc-encoding", "gzip"))).Status);
        Assert.Equal(StatusCode.Internal, (await SendAsync(server, Say, Frame([1, 2, 3], flag: 1), ("grpc-encoding", "gzip"))).Status);

        byte[] bomb = Gzip(new byte[50_000_000]);
        Assert.True(bomb.Length < 100_000);
        Assert.Equal(StatusCode.ResourceExhausted, (await SendAsync(server, Say, Frame(bomb, flag: 1), ("grpc-encoding", "gzip"))).Status);
    }

    [Fact]
    public async Task Encoding_Unknown_IsUnimplementedAndNamesTheKnown()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync();
        Answer answer = await SendAsync(server, Say, Frame([]), ("grpc-encoding", "zstd"));
        Assert.Equal(StatusCode.Unimplemented, answer.Status);
        Assert.Equal("identity,gzip", answer.Headers["grpc-accept-encoding"]);
    }

    [Theory]
    [InlineData("10")]
    [InlineData("S")]
    [InlineData("123456789S")]
    [InlineData("-1S")]
    [InlineData("1x")]
    public async Task Timeout_Malformed_IsInternal(string timeout)
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync();
        Assert.Equal(StatusCode.Internal, (await SendAsync(server, Say, Frame([]), ("grpc-timeout", timeout))).Status);
    }

    [Fact]
    public async Task Timeout_HandlerDoesNotReact_ServerAnswersAtTheDeadline()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync();
        byte[] body = Frame(new EchoRequest { Text = "ignore" }.ToByteArray());
        Task<Answer> answer = SendAsync(server, Say, body, ("grpc-timeout", "100m"));
        Assert.Equal(StatusCode.DeadlineExceeded, (await answer).Status);
        Assert.Equal(StatusCode.DeadlineExceeded, (await SendAsync(server, Say, body, ("grpc-timeout", "0n"))).Status);
    }

    [Fact]
    public async Task Metadata_NotBase64_IsInternal()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync();
        Assert.Equal(StatusCode.Internal, (await SendAsync(server, Say, Frame([]), ("echo-bin", "not base64!"))).Status);
        Assert.Equal(StatusCode.OK, (await SendAsync(server, Say, Frame([]), ("echo-bin", "AAE"))).Status);
        Assert.Equal(StatusCode.OK, (await SendAsync(server, Say, Frame([]), ("echo-bin", "AAE=,AQ"))).Status);
    }

    [Fact]
    public async Task Method_Unknown_IsUnimplemented()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync();
        Answer method = await SendAsync(server, "/loraserve.testing.Echo/Shout", Frame([]));
        Assert.Equal(StatusCode.Unimplemented, method.Status);
        Assert.Contains("/loraserve.testing.Echo/Shout", method.Message, StringComparison.Ordinal);
        Assert.Equal(StatusCode.Unimplemented, (await SendAsync(server, "/no.Service/Method", Frame([]))).Status);
    }

    [Fact]
    public async Task ContentType_NotGrpc_IsRefusedByHttpStatus()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync();
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, (await SendAsync(server, Say, Frame([]), contentType: "application/json")).Http);
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, (await SendAsync(server, Say, Frame([]), contentType: "application/grpc-web")).Http);
        Assert.Equal(HttpStatusCode.NotFound, (await SendAsync(server, "/a/b", Frame([]), contentType: "application/json")).Http);
        Assert.Equal(StatusCode.OK, (await SendAsync(server, Say, Frame([]), contentType: "application/grpc+proto")).Status);
    }

    [Fact]
    public async Task Response_Failed_IsTrailersOnly()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync();
        Answer answer = await SendAsync(server, Say, Frame(new EchoRequest { FailWith = 5, Text = "ü%" }.ToByteArray()));
        Assert.Equal("5", answer.Headers["grpc-status"]);
        Assert.Equal("%C3%BC%25", answer.Headers["grpc-message"]);
        Assert.Equal("AQL/", answer.Headers["extra-bin"]);
        Assert.Equal(0, answer.BodyLength);
    }

    private static byte[] Frame(byte[] payload, byte flag = 0)
    {
        byte[] frame = new byte[5 + payload.Length];
        frame[0] = flag;
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(1), payload.Length);
        payload.CopyTo(frame, 5);
        return frame;
    }

    private static byte[] Gzip(byte[] plain)
    {
        using var output = new MemoryStream();
        using (var gzip = new GZipStream(output, CompressionLevel.Optimal))
        {
            gzip.Write(plain);
        }

        return output.ToArray();
    }

    private static async Task<Answer> SendAsync(GrpcTestServer server, string path, byte[] body, (string Name, string Value)? header = null, string contentType = "application/grpc")
    {
        using var client = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(server.Address, path))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent(body),
        };
        request.Content.Headers.TryAddWithoutValidation("content-type", contentType);
        if (header is { } one)
        {
            request.Headers.TryAddWithoutValidation(one.Name, one.Value);
        }

        using HttpResponseMessage response = await client.SendAsync(request);
        byte[] content = await response.Content.ReadAsByteArrayAsync();
        Dictionary<string, string> headers = response.Headers.NonValidated.Concat(response.TrailingHeaders.NonValidated)
            .ToDictionary(pair => pair.Key, pair => pair.Value.ToString(), StringComparer.OrdinalIgnoreCase);
        return new Answer(response.StatusCode, headers, content.Length);
    }

    private sealed record Answer(HttpStatusCode Http, Dictionary<string, string> Headers, int BodyLength)
    {
        public StatusCode Status => (StatusCode)int.Parse(Headers["grpc-status"], CultureInfo.InvariantCulture);

        public string Message => PercentEncoding.Decode(Headers.GetValueOrDefault("grpc-message", ""));
    }
}
