using System.Text.Json.Nodes;
using Grpc.Health.V1;
using LoraServe.EndToEnd.Tests.Setup;
using LoraServe.Testing;
using LoraServe.V1;

namespace LoraServe.EndToEnd.Tests.Peers;

/// <summary>Clients that others wrote use every call of the services.</summary>
public class PeerTests
{
    private const string Inference = "loraserve.v1.Inference";
    private const string Adapters = "loraserve.v1.Adapters";
    private const string Training = "loraserve.v1.Training";

    [SkippableTheory]
    [InlineData("node")]
    [InlineData("python")]
    public async Task Inference_EveryCall_Answers(string name)
    {
        var peer = GrpcPeer.Require(name);
        await using TestServer server = await TestServer.StartTinyAsync();
        await server.LoadAsync(("a", 1));
        Answer expected = await server.AskAsync(Ask.For("a"));
        JsonObject generate = JsonNode.Parse(Google.Protobuf.JsonFormatter.Default.Format(Ask.For("a")))!.AsObject();
        JsonObject text = Call("Generate", """{"adapter": "a", "prompt": "Hello there", "sampling": {"max_tokens": 5}}""");
        JsonObject chat = Call("Chat", """{"adapter": "a", "messages": [{"role": "user", "content": "Hi"}], "sampling": {"max_tokens": 5, "ignore_eos": true}}""");
        JsonArray outcomes = await peer.CallAsync(
            server.Host.Address, InferenceReflection.Descriptor,
            Call("Generate", Snake(generate).ToJsonString()),
            Call("GenerateStream", Snake(generate).ToJsonString()),
            text,
            chat,
            Call("ChatStream", chat["requests"]![0]!.ToJsonString()),
            Call("Score", """{"adapter": "a", "prompt": "Hello", "continuations": [" there", " you all"]}"""),
            Call("Embed", """{"adapter": "a", "input": ["Hello", "there"], "normalize": true}"""),
            Call("Tokenize", """{"text": "Hello there", "add_special_tokens": true}"""),
            Call("ModelInfo", "{}"));

        Assert.All(outcomes, outcome => Assert.True(outcome!["code"]!.ToString() == "OK", outcome.ToJsonString()));
        string[] ids = [.. expected.Tokens.Split(' ').Where((_, i) => i % 3 == 0).Select(token => token.Split(':')[0])];
        JsonNode answer = First(outcomes[0]);
        Assert.Equal(ids, Ids(answer["choices"]![0]!));
        Assert.Equal(expected.Digest, answer["adapters"]![0]!["digest"]!.ToString());
        JsonArray chunks = outcomes[1]!["responses"]!.AsArray();
        Assert.Equal(ids, chunks.SelectMany(chunk => Ids(chunk!)));
        Assert.Equal(expected.Digest, chunks[0]!["adapters"]![0]!["digest"]!.ToString());
        Assert.Equal("assistant", First(outcomes[3])["choices"]![0]!["message"]!["role"]!.ToString());
        Assert.Equal(
            First(outcomes[3])["choices"]![0]!["text"]!.ToString(),
            string.Concat(outcomes[4]!["responses"]!.AsArray().Select(chunk => chunk!["text"]!.ToString())));
        Assert.Equal(2, First(outcomes[5])["scores"]!.AsArray().Count);
        Assert.Equal([TinyFiles.Width, TinyFiles.Width], First(outcomes[6])["embeddings"]!.AsArray().Select(one => one!["values"]!.AsArray().Count));
        Assert.NotEmpty(Ids(First(outcomes[7])));
        Assert.Equal(TinyFiles.ContextLength, (int)First(outcomes[8])["context_length"]!);

        static JsonObject Call(string method, string request) => PeerTests.Call($"{Inference}/{method}", request);
    }

    [SkippableTheory]
    [InlineData("node")]
    [InlineData("python")]
    public async Task Adapters_EveryCall_Answers(string name)
    {
        var peer = GrpcPeer.Require(name);
        await using TestServer server = await TestServer.StartTinyAsync();
        server.WriteAdapter("a", 1);
        string upload = TinyFiles.WriteAdapter(Path.Combine(server.Outside, "b"), 2);
        JsonArray outcomes = await peer.CallAsync(
            server.Host.Address, AdaptersReflection.Descriptor,
            Call("Load", """{"name": "a", "path": "a", "pin": true}"""),
            new JsonObject { ["method"] = $"{Adapters}/Upload", ["requests"] = Upload("b", upload) },
            Call("Pin", """{"name": "a", "pinned": false}"""),
            Call("SetAlias", """{"alias": "best", "target": "b@1"}"""),
            Call("Get", """{"name": "best"}"""),
            Call("Merge", """{"name": "c", "inputs": [{"name": "a", "weight": 0.5}, {"name": "b"}], "method": "cat"}"""),
            Call("List", "{}"),
            new JsonObject { ["method"] = $"{Adapters}/Watch", ["requests"] = new JsonArray(JsonNode.Parse("""{"include_existing": true}""")), ["cancel_after"] = 3 },
            Call("Unload", """{"name": "b", "delete_files": true}"""),
            Call("Get", """{"name": "b"}"""));

        Assert.Equal(
            ["OK", "OK", "OK", "OK", "OK", "OK", "OK", "CANCELLED", "OK", "NOT_FOUND"], outcomes.Select(outcome => outcome!["code"]!.ToString()));
        Assert.Equal(4, (int)First(outcomes[0])["report"]!["matched_modules"]!);
        Assert.StartsWith("upload", First(outcomes[1])["adapter"]!["source"]!.ToString(), StringComparison.Ordinal);
        Assert.Equal("b", First(outcomes[4])["name"]!.ToString());
        Assert.Equal(8, (int)First(outcomes[5])["adapter"]!["max_rank"]!);
        Assert.Equal(["a", "b", "c"], First(outcomes[6])["adapters"]!.AsArray().Select(adapter => adapter!["name"]!.ToString()));
        Assert.All(outcomes[7]!["responses"]!.AsArray(), happened => Assert.Equal("ADAPTER_EVENT_TYPE_EXISTS", happened!["type"]!.ToString()));
        Assert.Contains("There is no adapter 'b'", outcomes[9]!["details"]!.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain(First(outcomes[1])["adapter"]!["digest"]!.ToString(), Directory.GetDirectories(Path.Combine(server.StoreFolder, "adapters")).Select(Path.GetFileName));

        static JsonObject Call(string method, string request) => PeerTests.Call($"{Adapters}/{method}", request);
    }

    [SkippableTheory]
    [InlineData("node")]
    [InlineData("python")]
    public async Task Training_Calls_Answer(string name)
    {
        var peer = GrpcPeer.Require(name);
        await using TestServer server = await TestServer.StartTinyAsync(trains: true);
        await File.WriteAllTextAsync(Path.Combine(server.DataRoot, "rows.jsonl"), """{"prompt": "a", "completion": "b"}""");
        var rows = new JsonArray(
            JsonNode.Parse("""{"header": {"filename": "rows.jsonl"}}"""), new JsonObject { ["chunk"] = Convert.ToBase64String("{\"text\": \"a\"}\n"u8) });
        JsonArray outcomes = await peer.CallAsync(
            server.Host.Address, TrainingReflection.Descriptor,
            new JsonObject { ["method"] = $"{Training}/UploadData", ["requests"] = rows },
            Call($"{Training}/Start", """{"training_data": {"path": "rows.jsonl"}, "hyperparameters": {"max_steps": 2}, "publish": {"name": "tuned"}}"""),
            Call($"{Training}/List", "{}"),
            Call($"{Training}/Get", """{"id": "job-nonesuch"}"""));

        Assert.Equal("1", First(outcomes[0])["rows"]!.ToString());
        Assert.Equal("TRAINING_STATUS_QUEUED", First(outcomes[1])["status"]!.ToString());
        Assert.Equal(First(outcomes[1])["id"]!.ToString(), First(outcomes[2])["jobs"]![0]!["id"]!.ToString());
        Assert.Equal("NOT_FOUND", outcomes[3]!["code"]!.ToString());
    }

    [SkippableTheory]
    [InlineData("node")]
    [InlineData("python")]
    public async Task Failures_OfEveryKind_ArriveAsTheirStatus(string name)
    {
        var peer = GrpcPeer.Require(name);
        await using TestServer server = await TestServer.StartTinyAsync(server: options => options.MaxReceiveMessageBytes = 10_000);
        JsonObject slow = Call($"{Inference}/GenerateStream", """{"prompt": "a", "sampling": {"max_tokens": 400, "n": 8, "ignore_eos": true}}""");
        JsonObject cancelled = slow.DeepClone().AsObject();
        cancelled["cancel_after"] = 2;
        JsonObject late = slow.DeepClone().AsObject();
        late["timeout_s"] = 0.001;
        JsonObject zipped = Call($"{Inference}/Tokenize", $$"""{"text": "{{new string('x', 9_000)}}"}""");
        zipped["gzip"] = true;
        JsonArray outcomes = await peer.CallAsync(
            server.Host.Address, InferenceReflection.Descriptor,
            Call($"{Inference}/Generate", """{"adapter": "no-such", "prompt": "a"}"""),
            Call($"{Inference}/Tokenize", $$"""{"text": "{{new string('x', 10_001)}}"}"""),
            late,
            cancelled,
            zipped);

        Assert.Equal(["NOT_FOUND", "RESOURCE_EXHAUSTED", "DEADLINE_EXCEEDED", "CANCELLED", "OK"], outcomes.Select(outcome => outcome!["code"]!.ToString()));
        Assert.Contains("'no-such'", outcomes[0]!["details"]!.ToString(), StringComparison.Ordinal);
        Assert.Contains("10000 bytes", outcomes[1]!["details"]!.ToString(), StringComparison.Ordinal);
        Assert.Equal("-1", outcomes[1]!["trailers"]!["grpc-retry-pushback-ms"]!.ToString());
        Assert.Equal(2, outcomes[3]!["responses"]!.AsArray().Count);
        await server.IdleAsync();
    }

    [SkippableTheory]
    [InlineData("node")]
    [InlineData("python")]
    public async Task Health_OfServerAndServices_IsServing(string name)
    {
        var peer = GrpcPeer.Require(name);
        await using TestServer server = await TestServer.StartTinyAsync();
        JsonArray outcomes = await peer.CallAsync(
            server.Host.Address, HealthReflection.Descriptor,
            Call("grpc.health.v1.Health/Check", "{}"),
            Call("grpc.health.v1.Health/Check", $$"""{"service": "{{Inference}}"}"""),
            Call("grpc.health.v1.Health/Check", $$"""{"service": "{{Adapters}}"}"""),
            Call("grpc.health.v1.Health/Check", $$"""{"service": "{{Training}}"}"""),
            Call("grpc.health.v1.Health/Check", """{"service": "nonesuch"}"""));
        Assert.All(outcomes.Take(4), outcome => Assert.Equal("SERVING", First(outcome)["status"]!.ToString()));
        Assert.Equal("NOT_FOUND", outcomes[4]!["code"]!.ToString());
    }

    [SkippableFact]
    public async Task Reflection_BufCommand_FindsAndCallsTheServices()
    {
        await using TestServer server = await TestServer.StartTinyAsync();
        await server.LoadAsync(("a", 1));
        string methods = await CurlAsync("--list-methods", server.Host.Address.ToString());
        Assert.All(["Generate", "GenerateStream", "Chat", "Score", "Embed", "Tokenize", "ModelInfo"], method => Assert.Contains($"{Inference}/{method}", methods, StringComparison.Ordinal));
        Assert.All(["Load", "Upload", "Unload", "List", "Get", "Pin", "SetAlias", "Merge", "Watch"], method => Assert.Contains($"{Adapters}/{method}", methods, StringComparison.Ordinal));
        Assert.All(["UploadData", "Start", "Watch", "Cancel", "List", "Get"], method => Assert.Contains($"{Training}/{method}", methods, StringComparison.Ordinal));

        JsonNode info = JsonNode.Parse(await CurlAsync(new Uri(server.Host.Address, $"{Inference}/ModelInfo").ToString()))!;
        Assert.Equal(("llama", "cpu", true), (info["architecture"]!.ToString(), info["device"]!.ToString(), info["batchInvariant"]!.GetValue<bool>()));
        string streamed = await CurlAsync(
            "--data", """{"adapter": "a", "prompt": "Hello", "sampling": {"maxTokens": 3, "ignoreEos": true}}""", new Uri(server.Host.Address, $"{Inference}/GenerateStream").ToString());
        Assert.Contains("\"completionTokens\": 3", streamed.Replace("\":3", "\": 3", StringComparison.Ordinal), StringComparison.Ordinal);

        static Task<string> CurlAsync(params string[] arguments) => GrpcPeer.RunBufAsync(["curl", "--protocol", "grpc", "--http2-prior-knowledge", .. arguments]);
    }

    private static JsonObject Call(string method, string request) => new()
    {
        ["method"] = method,
        ["requests"] = new JsonArray(JsonNode.Parse(request)),
    };

    private static JsonNode First(JsonNode? outcome) => outcome!["responses"]![0]!;

    private static IEnumerable<string> Ids(JsonNode holder) => holder["token_ids"]!.AsArray().Select(id => id!.ToString());

    /// <summary>The header and two chunks of each file.</summary>
    private static JsonArray Upload(string name, string folder) =>
    [
        new JsonObject { ["header"] = new JsonObject { ["name"] = name, ["expected_version"] = 0 } },
        .. from file in new[] { "adapter_config.json", "adapter_model.safetensors" }
        let bytes = File.ReadAllBytes(Path.Combine(folder, file))
        from part in bytes.Chunk((bytes.Length / 2) + 1)
        select (JsonNode)new JsonObject { ["chunk"] = new JsonObject { ["file"] = file, ["data"] = Convert.ToBase64String(part) } },
    ];

    /// <summary>The field names of the proto, which both peers take.</summary>
    private static JsonObject Snake(JsonObject message) => new(message.Select(field => KeyValuePair.Create(
        System.Text.Json.JsonNamingPolicy.SnakeCaseLower.ConvertName(field.Key),
        field.Value is JsonObject inner ? (JsonNode?)Snake(inner) : field.Value?.DeepClone())));
}
