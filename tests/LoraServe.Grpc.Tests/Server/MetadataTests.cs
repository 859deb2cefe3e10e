using Google.Protobuf;
using Grpc.Core;

namespace LoraServe.Grpc.Tests.Server;

public sealed class MetadataTests
{
    [Fact]
    public async Task Metadata_TextAndBytes_ReachTheHandlerAndComeBack()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync();
        var headers = new Metadata
        {
            { "echo-text", "a b,c" },
            { "Echo-Data-bin", [0, 1, 254, 255] },
            { "echo-twice", "1" },
            { "echo-twice", "2" },
            { "want-headers", "yes" },
        };
        using AsyncUnaryCall<EchoReply> call = server.Client().SayAsync(new EchoRequest { Text = "x" }, headers);
        Assert.Equal("yes", (await call.ResponseHeadersAsync).GetValue("sent-ahead"));
        await call;
        Metadata trailers = call.GetTrailers();
        Assert.Equal("a b,c", trailers.GetValue("echo-text"));
        Assert.Equal([0, 1, 254, 255], trailers.GetValueBytes("echo-data-bin"));

        // HTTP allows a sender to join the values of a header, and HttpClient does.
        Assert.Equal("1, 2", string.Join(", ", trailers.GetAll("echo-twice").Select(entry => entry.Value)));
    }

    [Fact]
    public async Task Context_OfACall_KnowsWhoCalledWhat()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync();
        await server.Client().WithHost("other.example").SayAsync(new EchoRequest());
        Assert.StartsWith("POST /loraserve.testing.Echo/Say other.example ipv4:127.0.0.1:", server.Echo.LastCall, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Gzip_BothWays_CarriesTheSameMessages()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync(options => options.ResponseCompressionAlgorithm = "gzip");
        var data = ByteString.CopyFrom(new byte[200_000]);
        var headers = new Metadata { { "grpc-internal-encoding-request", "gzip" } };
        using AsyncDuplexStreamingCall<EchoRequest, EchoReply> call = server.Client().Talk(headers);
        for (int i = 0; i < 3; i++)
        {
            call.RequestStream.WriteOptions = i == 1 ? new WriteOptions(WriteFlags.NoCompress) : null;
            await call.RequestStream.WriteAsync(new EchoRequest { Text = "z", Data = data });
            Assert.True(await call.ResponseStream.MoveNext(default));
            Assert.Equal(data, call.ResponseStream.Current.Data);
        }

        Assert.Equal(data, (await server.Client().SayAsync(new EchoRequest { Data = data }, headers)).Data);
    }

    [Fact]
    public void Metadata_ThatHeadersCannotCarry_IsRefused()
    {
        var metadata = new Metadata();
        Assert.Throws<ArgumentException>(() => metadata.Add("bad key", "x"));
        Assert.Throws<ArgumentException>(() => metadata.Add("key", "line\nbreak"));
        Assert.Throws<ArgumentException>(() => metadata.Add("key", "ü"));
        Assert.Throws<ArgumentException>(() => metadata.Add("key-bin", "text"));
        Assert.Throws<ArgumentException>(() => metadata.Add("key", new byte[] { 1 }));
        Assert.Throws<InvalidOperationException>(() => Metadata.Empty.Add("key", "x"));
    }
}
