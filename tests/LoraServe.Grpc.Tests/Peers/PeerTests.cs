using System.Text.Json.Nodes;
using LoraServe.Testing;

namespace LoraServe.Grpc.Tests.Peers;

/// <summary>Calls by clients that others wrote.</summary>
public sealed class PeerTests
{
    private const string Service = "loraserve.testing.Echo/";

    [SkippableTheory]
    [InlineData("python")]
    [InlineData("node")]
    public async Task Peer_AllKindsOfCalls_Work(string name)
    {
        GrpcPeer peer = GrpcPeer.Require(name);
        await using GrpcTestServer server = await GrpcTestServer.StartAsync(options => options.ResponseCompressionAlgorithm = "gzip");
        string large = Convert.ToBase64String(new byte[300_000]);
        JsonArray outcomes = await peer.CallAsync(
            server.Address,
            EchoReflection.Descriptor,
            Call("Say", [new JsonObject { ["text"] = "ünï", ["data"] = "AQID" }]),
            Call("Say", [new JsonObject { ["text"] = "zipped", ["data"] = large }], ("gzip", true)),
            Call("Repeat", [new JsonObject { ["text"] = "r", ["count"] = 30 }]),
            Call("Join", [new JsonObject { ["text"] = "a" }, new JsonObject { ["text"] = "b" }]),
            Call("Talk", [new JsonObject { ["text"] = "a" }, new JsonObject { ["text"] = "b" }, new JsonObject { ["text"] = "c" }]));

        Assert.All(outcomes, outcome => Assert.Equal("OK", (string?)outcome!["code"]));
        Assert.Equal("ünï", (string?)outcomes[0]!["responses"]![0]!["text"]);
        Assert.Equal("AQID", (string?)outcomes[0]!["responses"]![0]!["data"]);
        Assert.Equal(large, (string?)outcomes[1]!["responses"]![0]!["data"]);
        Assert.Equal(Enumerable.Range(0, 30), outcomes[2]!["responses"]!.AsArray().Select(response => (int)response!["index"]!));
        Assert.Equal("a+b", (string?)outcomes[3]!["responses"]![0]!["text"]);
        Assert.Equal(["a", "b", "c"], outcomes[4]!["responses"]!.AsArray().Select(response => (string?)response!["text"]));
    }

    [SkippableTheory]
    [InlineData("python")]
    [InlineData("node")]
    public async Task Peer_CallsThatFail_SeeTheirStatus(string name)
    {
        GrpcPeer peer = GrpcPeer.Require(name);
        await using GrpcTestServer server = await GrpcTestServer.StartAsync(options => options.MaxReceiveMessageSize = 10_000);
        JsonArray outcomes = await peer.CallAsync(
            server.Address,
            EchoReflection.Descriptor,
            Call("Say", [new JsonObject { ["text"] = "100% ü", ["fail_with"] = 5 }]),
            Call("Repeat", [new JsonObject { ["text"] = "late", ["fail_with"] = 9, ["count"] = 2 }]),
            Call("Say", [new JsonObject { ["text"] = "crash" }]),
            Call("Say", [new JsonObject { ["text"] = "wait" }], ("timeout_s", 0.3)),
            Call("Repeat", [new JsonObject { ["text"] = "wait", ["count"] = 2 }], ("cancel_after", 2)),
            Call("Say", [new JsonObject { ["data"] = Convert.ToBase64String(new byte[10_001]) }]),
            Call("Say", [new JsonObject { ["text"] = "x" }], ("metadata", new JsonObject { ["echo-text"] = "t", ["echo-data-bin"] = "AP/+" })));

        Assert.Equal(
            ["NOT_FOUND", "FAILED_PRECONDITION", "UNKNOWN", "DEADLINE_EXCEEDED", "CANCELLED", "RESOURCE_EXHAUSTED", "OK"],
            outcomes.Select(outcome => (string?)outcome!["code"]));
        Assert.Equal("100% ü", (string?)outcomes[0]!["details"]);
        Assert.Equal("AQL/", (string?)outcomes[0]!["trailers"]!["extra-bin"]);
        Assert.Equal(2, outcomes[1]!["responses"]!.AsArray().Count);
        Assert.Equal("t", (string?)outcomes[6]!["trailers"]!["echo-text"]);
        Assert.Equal("AP/+", (string?)outcomes[6]!["trailers"]!["echo-data-bin"]);
        await server.Echo.Cancelled.Task.WaitAsync(TimeSpan.FromSeconds(20));
    }

    [SkippableFact]
    public async Task CommandLine_OverReflection_ListsAndCalls()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync();
        string methods = await GrpcPeer.RunBufAsync("curl", "--protocol", "grpc", "--http2-prior-knowledge", "--list-methods", server.Address.ToString());
        Assert.Contains("loraserve.testing.Echo/Talk", methods, StringComparison.Ordinal);
        Assert.Contains("grpc.health.v1.Health/Check", methods, StringComparison.Ordinal);

        foreach (string version in (string[])["grpc-v1", "grpc-v1alpha"])
        {
            string reply = await GrpcPeer.RunBufAsync(
                "curl", "--protocol", "grpc", "--http2-prior-knowledge", "--reflect-protocol", version,
                "--data", """{"text":"by hand"}""", new Uri(server.Address, "/loraserve.testing.Echo/Say").ToString());
            Assert.Equal("by hand", (string?)JsonNode.Parse(reply)!["text"]);
        }
    }

    private static JsonObject Call(string method, JsonObject[] requests, (string Name, JsonNode Value)? option = null)
    {
        var call = new JsonObject { ["method"] = Service + method, ["requests"] = new JsonArray([.. requests]) };
        if (option is { } one)
        {
            call[one.Name] = one.Value;
        }

        return call;
    }
}
