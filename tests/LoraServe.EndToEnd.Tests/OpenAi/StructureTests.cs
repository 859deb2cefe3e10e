using System.Text.Json;
using System.Text.Json.Nodes;
using LoraServe.EndToEnd.Tests.Setup;

namespace LoraServe.EndToEnd.Tests.OpenAi;

/// <summary>What an answer must be it is, whatever the model would say: a random one says anything.</summary>
public sealed class StructureTests : TwoAdapters
{
    private const string Chat = "v1/chat/completions";
    private const string Completions = "v1/completions";
    private const string Schema = """{"type": "object", "properties": {"who": {"type": "string", "maxLength": 5}, "n": {"type": "integer", "minimum": 0, "maximum": 99}}, "required": ["who", "n"], "additionalProperties": false}""";

    [Theory]
    [InlineData(Chat, "response_format", """{"type": "json_schema", "json_schema": {"name": "a", "strict": true, "schema": SCHEMA}}""")]
    [InlineData(Completions, "response_format", """{"type": "json_schema", "json_schema": {"name": "a", "schema": SCHEMA}}""")]
    [InlineData(Chat, "structured_outputs", """{"json": SCHEMA}""")]
    public async Task Answer_JsonSchema_Satisfies(string path, string field, string value)
    {
        foreach (string text in await AnswersAsync(path, field, value.Replace("SCHEMA", Schema, StringComparison.Ordinal)))
        {
            JsonElement answer = JsonElement.Parse(text);
            Assert.Equal(["who", "n"], answer.EnumerateObject().Select(property => property.Name));
            Assert.InRange(answer.GetProperty("n").GetInt32(), 0, 99);
        }
    }

    [Theory]
    [InlineData("""{"regex": "[ab]{3}-[0-9]"}""", "^[ab]{3}-[0-9]$")]
    [InlineData("""{"choice": ["yes", "no"]}""", "^(yes|no)$")]
    [InlineData("""{"grammar": "root ::= \"<\" [x-z]{2} \">\""}""", "^<[x-z]{2}>$")]
    public async Task Answer_StructuredOutputs_IsThat(string value, string expected)
    {
        foreach (string path in new[] { Chat, Completions })
        {
            Assert.All(await AnswersAsync(path, "structured_outputs", value), text => Assert.Matches(expected, text));
        }
    }

    /// <summary>Of a model whose template knows no tools, calls can be had that are forced.</summary>
    [Fact]
    public async Task Answer_ForcedCallOfAnyModel_IsACallWithItsArguments()
    {
        JsonObject request = Request(Chat);
        request["tools"] = JsonNode.Parse("""[{"type": "function", "function": {"name": "note", "parameters": SCHEMA}}]""".Replace("SCHEMA", Schema, StringComparison.Ordinal));
        request["tool_choice"] = JsonNode.Parse("""{"type": "function", "function": {"name": "note"}}""");
        for (int seed = 0; seed < 4; seed++)
        {
            request["seed"] = seed;
            JsonElement answer = (await Rest.PostAsync(Chat, request)).Json.GetProperty("choices")[0];
            Assert.Equal("tool_calls", answer.GetProperty("finish_reason").GetString());
            JsonElement function = Assert.Single(answer.GetProperty("message").GetProperty("tool_calls").EnumerateArray()).GetProperty("function");
            Assert.Equal("note", function.GetProperty("name").GetString());
            Assert.InRange(JsonElement.Parse(function.GetProperty("arguments").GetString()!).GetProperty("n").GetInt32(), 0, 99);
        }
    }

    [Fact]
    public async Task Answer_TwoSayings_IsRefused()
    {
        JsonObject request = Request(Chat);
        request["response_format"] = new JsonObject { ["type"] = "json_object" };
        request["structured_outputs"] = new JsonObject { ["regex"] = "a" };
        RestAnswer answer = await Rest.PostAsync(Chat, request);

        Assert.Equal((400, "structured_outputs"), (answer.Status, answer.Param));
    }

    private async Task<List<string>> AnswersAsync(string path, string field, string value)
    {
        List<string> answers = [];
        foreach (string model in new[] { "red", "blue" })
        {
            JsonObject request = Request(path);
            request["model"] = model;
            request["n"] = 3;
            request[field] = JsonNode.Parse(value);
            RestAnswer answer = await Rest.PostAsync(path, request);
            Assert.True(answer.Status == 200, answer.Text);
            foreach (JsonElement choice in answer.Json.GetProperty("choices").EnumerateArray())
            {
                Assert.Equal("stop", choice.GetProperty("finish_reason").GetString());
                answers.Add((path == Chat ? choice.GetProperty("message").GetProperty("content") : choice.GetProperty("text")).GetString()!);
            }
        }

        return answers;
    }

    private static JsonObject Request(string path)
    {
        var request = new JsonObject { ["model"] = "red", ["temperature"] = 1, ["seed"] = 3, ["max_tokens"] = 150 };
        request[path == Chat ? "messages" : "prompt"] = path == Chat ? new JsonArray(new JsonObject { ["role"] = "user", ["content"] = "Hello" }) : "Hello";
        return request;
    }
}
