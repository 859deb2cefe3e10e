using System.Text.Json.Nodes;
using LoraServe.EndToEnd.Tests.Setup;
using LoraServe.Testing;
using LoraServe.V1;

namespace LoraServe.EndToEnd.Tests.Peers;

/// <summary>OpenAI's client for JavaScript, and curl as the README calls it.</summary>
public sealed class OpenAiPeerTests : IAsyncLifetime
{
    private TestServer _server = null!;

    public async Task InitializeAsync()
    {
        _server = await TestServer.StartTinyAsync();
        await _server.LoadAsync(("red", 1), ("blue", 2));
    }

    public async Task DisposeAsync() => await _server.DisposeAsync();

    [SkippableFact]
    public async Task Node_TwoAdaptersStreamsAndErrors_AreWhatTheClientExpects()
    {
        string expected = (await _server.Client.Inference.ChatAsync(new ChatRequest
        {
            Adapter = "blue",
            Messages = { new ChatMessage { Role = "user", Content = "Hello" } },
            Sampling = new SamplingOptions { MaxTokens = 12 },
        })).Choices[0].Text;
        JsonArray outcomes = await GrpcPeer.CallOpenAiAsync(
            new Uri(_server.Host.HttpAddress, "v1"),
            Call("models.list"),
            Call("chat.completions.create", Chat("blue")),
            Call("chat.completions.create", Streamed(Chat("blue"))),
            Call("completions.create", new JsonObject { ["model"] = "red", ["prompt"] = "Hello", ["max_tokens"] = 4, ["ignore_eos"] = true }),
            Call("embeddings.create", new JsonObject { ["model"] = "red", ["input"] = new JsonArray("a", "b") }),
            Call("chat.completions.create", Chat("nobody")),
            Call("chat.completions.create", With(Chat("red"), "temperature", -1)),
            Call("chat.completions.create", With(Chat("red"), "temprature", 1)),
            new JsonObject { ["path"] = "completions.create", ["abort_after"] = 2, ["arguments"] = new JsonArray(Streamed(new JsonObject { ["model"] = "red", ["prompt"] = "Hello", ["max_tokens"] = 480, ["n"] = 8, ["ignore_eos"] = true })) });

        Assert.Equal(["model", "blue", "red"], outcomes[0]!["result"]!["data"]!.AsArray().Select(model => (string?)model!["id"]));
        Assert.Equal((expected, "blue"), ((string?)outcomes[1]!["result"]!["choices"]![0]!["message"]!["content"], (string?)outcomes[1]!["result"]!["adapters"]![0]!["name"]));
        Assert.Equal(expected, string.Concat(outcomes[2]!["events"]!.AsArray().Select(part => (string?)part!["choices"]![0]!["delta"]!["content"])));
        Assert.Equal(4, (int?)outcomes[3]!["result"]!["usage"]!["completion_tokens"]);
        Assert.Equal(TinyFiles.Width, outcomes[4]!["result"]!["data"]![1]!["embedding"]!.AsArray().Count);
        Assert.Equal((404, "model_not_found", "NotFoundError"), Error(outcomes[5]));
        Assert.Equal((400, null, "BadRequestError"), Error(outcomes[6]));
        Assert.Equal("temperature", (string?)outcomes[6]!["param"]);
        Assert.Contains("Unrecognized request argument supplied: temprature", (string?)outcomes[7]!["message"], StringComparison.Ordinal);
        Assert.Equal(2, outcomes[8]!["events"]!.AsArray().Count);
        await _server.IdleAsync();
    }

    [SkippableFact]
    public async Task Curl_AsTheReadmeCallsIt_IsAnswered()
    {
        string api = new Uri(_server.Host.HttpAddress, "v1").ToString();
        string[] json = ["-s", "-H", "Content-Type: application/json"];
        string models = await GrpcPeer.RunCurlAsync("-s", $"{api}/models");
        Assert.Equal(3, JsonNode.Parse(models)!["data"]!.AsArray().Count);
        string chat = await GrpcPeer.RunCurlAsync([.. json, $"{api}/chat/completions", "-d", """{"model": "red", "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 5}"""]);
        Assert.Equal("red", (string?)JsonNode.Parse(chat)!["adapters"]![0]!["name"]);
        string stream = await GrpcPeer.RunCurlAsync([.. json, "-N", $"{api}/completions", "-d", """{"model": "red:0.7+blue:0.3", "prompt": "Hello", "stream": true}"""]);
        Assert.EndsWith("data: [DONE]\n\n", stream, StringComparison.Ordinal);
    }

    private static (int? Status, string? Code, string? Name) Error(JsonNode? outcome) => ((int?)outcome!["status"], (string?)outcome["code"], (string?)outcome["name"]);

    private static JsonObject Call(string path, params JsonNode[] arguments) => new() { ["path"] = path, ["arguments"] = new JsonArray(arguments) };

    private static JsonObject Chat(string model) => new()
    {
        ["model"] = model,
        ["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = "Hello" }),
        ["max_tokens"] = 12,
        ["temperature"] = 0,
    };

    private static JsonObject Streamed(JsonObject request) => With(request, "stream", true);

    private static JsonObject With(JsonObject request, string field, JsonNode value)
    {
        request[field] = value;
        return request;
    }
}
