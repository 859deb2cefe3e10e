using System.Text.Json;
using System.Text.Json.Nodes;
using LoraServe.EndToEnd.Tests.Setup;

namespace LoraServe.EndToEnd.Tests.OpenAi;

/// <summary>What a model writes as tool calls comes as OpenAI's <c>tool_calls</c>, and can be brought about.</summary>
public sealed class ToolCallTests : IAsyncLifetime, IDisposable
{
    private const string Path = "v1/chat/completions";

    private readonly TemporaryFolder _folder = new();
    private TestServer _server = null!;
    private RestClient _rest = null!;

    public async Task InitializeAsync()
    {
        _server = await ToolScript.StartAsync(_folder);
        _rest = new RestClient(_server);
    }

    public async Task DisposeAsync() => await _server.DisposeAsync();

    public void Dispose()
    {
        _rest.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task Answer_WithCalls_HasThemBesideTheText()
    {
        JsonElement choice = (await _rest.PostAsync(Path, Request())).Json.GetProperty("choices")[0];

        Assert.Equal("tool_calls", choice.GetProperty("finish_reason").GetString());
        JsonElement message = choice.GetProperty("message");
        Assert.Equal(ToolScript.Said, message.GetProperty("content").GetString());
        Assert.Equal([("get_weather", """{"city": "Paris"}"""), ("get_time", "{}")], Calls(message));
        Assert.All(message.GetProperty("tool_calls").EnumerateArray(), call => Assert.Equal("function", call.GetProperty("type").GetString()));
        Assert.Equal(2, message.GetProperty("tool_calls").EnumerateArray().Select(call => call.GetProperty("id").GetString()).Distinct().Count());
    }

    [Fact]
    public async Task Stream_WithCalls_HasThemAsDeltas()
    {
        List<JsonElement> parts = await _rest.StreamAsync(Path, Request());
        JsonElement[] choices = [.. parts.SelectMany(part => part.GetProperty("choices").EnumerateArray())];
        JsonElement[] deltas = [.. choices.Select(choice => choice.GetProperty("delta")).Where(delta => delta.TryGetProperty("tool_calls", out _)).SelectMany(delta => delta.GetProperty("tool_calls").EnumerateArray())];

        Assert.Equal("tool_calls", choices[^1].GetProperty("finish_reason").GetString());
        Assert.Equal(ToolScript.Said, string.Concat(choices.Select(choice => choice.GetProperty("delta")).Select(delta => delta.TryGetProperty("content", out JsonElement text) ? text.GetString() : "")));
        Assert.Equal(2, deltas.Count(delta => delta.TryGetProperty("id", out _)));
        Assert.Equal(
            [("get_weather", """{"city": "Paris"}"""), ("get_time", "{}")],
            deltas.GroupBy(delta => delta.GetProperty("index").GetInt32()).Select(call => (Joined(call, "name"), Joined(call, "arguments"))));

        static string Joined(IEnumerable<JsonElement> call, string name) =>
            string.Concat(call.Select(delta => delta.GetProperty("function")).Select(function => function.TryGetProperty(name, out JsonElement text) ? text.GetString() : ""));
    }

    [Fact]
    public async Task Answer_ChoiceOfNone_HidesTheTools()
    {
        JsonObject request = Request();
        request["tool_choice"] = "none";
        JsonElement message = (await _rest.PostAsync(Path, request)).Json.GetProperty("choices")[0].GetProperty("message");

        Assert.Equal(ToolScript.WithoutTools, message.GetProperty("content").GetString());
        Assert.False(message.TryGetProperty("tool_calls", out _));
    }

    /// <summary>The model would call the weather first and the time then; it is made to do otherwise, with its own marker.</summary>
    [Theory]
    [InlineData("""{"type": "function", "function": {"name": "get_time"}}""", "get_time")]
    [InlineData("""{"type": "function", "function": {"name": "get_weather"}}""", "get_weather")]
    public async Task Answer_ChoiceOfATool_IsOneCallOfIt(string choice, string name)
    {
        JsonObject request = Request();
        request["tool_choice"] = JsonNode.Parse(choice);
        JsonElement answer = (await _rest.PostAsync(Path, request)).Json.GetProperty("choices")[0];

        Assert.Equal("tool_calls", answer.GetProperty("finish_reason").GetString());
        Assert.Equal(JsonValueKind.Null, answer.GetProperty("message").GetProperty("content").ValueKind);
        (string called, string arguments) = Assert.Single(Calls(answer.GetProperty("message")));
        Assert.Equal(name, called);
        Assert.Equal(JsonValueKind.Object, JsonElement.Parse(arguments).ValueKind);
    }

    [Fact]
    public async Task Answer_ChoiceRequired_IsCallsAndNothingElse()
    {
        JsonObject request = Request();
        request["tool_choice"] = "required";
        request["parallel_tool_calls"] = false;
        JsonElement message = (await _rest.PostAsync(Path, request)).Json.GetProperty("choices")[0].GetProperty("message");

        Assert.Equal(JsonValueKind.Null, message.GetProperty("content").ValueKind);
        Assert.Single(Calls(message));
    }

    [Theory]
    [InlineData("tool_choice", "\"always\"", "expected 'none', 'auto', 'required'")]
    [InlineData("tool_choice", """{"type": "function", "function": {"name": "nonesuch"}}""", "nonesuch")]
    [InlineData("tool_choice", """{"type": "allowed_tools"}""", "tool_choice.type")]
    [InlineData("tools", """[{"type": "function", "function": {"name": "f", "parameters": {"properties": {"x": {"multipleOf": 3}}}}}]""", "'f', whose parameters are refused: JSON schema, /properties/x/multipleOf")]
    public async Task Answer_ChoiceThatCannotBeHad_IsRefused(string field, string value, string expected)
    {
        JsonObject request = Request();
        request["tool_choice"] = "required";
        request[field] = JsonNode.Parse(value);
        RestAnswer answer = await _rest.PostAsync(Path, request);

        Assert.Equal(400, answer.Status);
        Assert.Contains(expected, answer.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Answer_ChoiceWithoutTools_IsRefused()
    {
        JsonObject request = Request();
        request.Remove("tools");
        request["tool_choice"] = "required";
        RestAnswer answer = await _rest.PostAsync(Path, request);

        Assert.Equal((400, "tool_choice"), (answer.Status, answer.Param));
    }

    private static JsonObject Request()
    {
        const string Tool = """{"type": "function", "function": {"name": "NAME", "parameters": {"type": "object", "properties": {"city": {"type": "string", "maxLength": 8}}}}}""";
        return new JsonObject
        {
            ["model"] = "model",
            ["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = "How is the weather?" }),
            ["tools"] = new JsonArray([.. new[] { "get_weather", "get_time" }.Select(name => JsonNode.Parse(Tool.Replace("NAME", name, StringComparison.Ordinal)))]),
            ["temperature"] = 0,
        };
    }

    private static (string Name, string Arguments)[] Calls(JsonElement message) =>
    [
        .. message.GetProperty("tool_calls").EnumerateArray().Select(call => call.GetProperty("function"))
            .Select(function => (function.GetProperty("name").GetString()!, function.GetProperty("arguments").GetString()!)),
    ];
}
