using System.Text.Json.Nodes;
using LoraServe.EndToEnd.Tests.Setup;

namespace LoraServe.EndToEnd.Tests.OpenAi;

/// <summary>Every field wrong in turn: 400, in OpenAI's form, with the field's name, and nothing of how the server is made.</summary>
public sealed class RefusalTests(RefusalTests.Fixture fixture) : IClassFixture<RefusalTests.Fixture>
{
    private const string Chat = "v1/chat/completions";
    private const string Completions = "v1/completions";
    private const string Embeddings = "v1/embeddings";

    private static readonly string[] s_foreign = ["(Parameter ", "Exception", "   at ", "LineNumber", "System.", "Nullable", "LoraServe.Server.S", Path.GetTempPath()];

    /// <summary>Path, field, JSON value, and what the refusal calls the field where that is another name.</summary>
    public static TheoryData<string, string, string, string> Wrong
    {
        get
        {
            var wrong = new TheoryData<string, string, string, string>();
            foreach (string path in new[] { Completions, Chat })
            {
                Add(path, "model", "1", "true", "null", "\"\"", "[]", "{}");
                Add(path, "max_tokens", "\"a\"", "-1", "1.5", "99999999999", "[]");
                Add(path, "temperature", "\"hot\"", "-0.1", "101", "1e999", "[1]", "true");
                Add(path, "top_p", "\"a\"", "-1", "1.1");
                Add(path, "n", "0", "-1", "17", "\"2\"", "1e9");
                Add(path, "seed", "\"a\"", "1.5", "99999999999999999999");
                Add(path, "presence_penalty", "3", "-3", "\"a\"");
                Add(path, "frequency_penalty", "3", "{}");
                Add(path, "stream", "\"yes\"", "1");
                Add(path, "stop", "1", "{}", "\"\"");
                AddAs(path, "stop", "[1]", "stop[0]");
                Add(path, "logit_bias", "[]", "{\"a\": 1}", "{\"-1\": 1}", "{\"1\": 101}", "{\"720\": 1}", "{\"1.5\": 1}", "{\"1\": 1, \"01\": 2}");
                AddAs(path, "logit_bias", "{\"1\": \"a\"}", "logit_bias.1");
                Add(path, "top_k", "-2", "\"a\"");
                Add(path, "min_p", "2", "-1");
                Add(path, "repetition_penalty", "0", "-1", "\"a\"");
                Add(path, "stop_token_ids", "1", "[720]", "[-1]");
                AddAs(path, "stop_token_ids", "[\"a\"]", "stop_token_ids[0]");
                Add(path, "ignore_eos", "1");
                Add(path, "min_tokens", "-1", "4", "\"a\"");
                Add(path, "stream_options", "{\"include_usage\": true}", "1", "[]");
                AddAs(path, "stream_options", "{\"usage\": true}", "stream_options.usage");
                AddAs(path, "stream_options", "{\"include_usage\": 1}", "stream_options.include_usage");
                Add(path, "response_format", "1", "[]", "\"text\"", "{\"type\": \"json_schema\", \"json_schema\": {\"schema\": {\"type\": \"text\"}}}");
                AddAs(path, "response_format", "{}", "response_format.type");
                AddAs(path, "response_format", "{\"type\": 1}", "response_format.type");
                AddAs(path, "response_format", "{\"type\": \"xml\"}", "response_format.type");
                AddAs(path, "response_format", "{\"type\": \"json_schema\"}", "response_format.json_schema");
                AddAs(path, "response_format", "{\"type\": \"json_schema\", \"json_schema\": 1}", "response_format.json_schema");
                AddAs(path, "response_format", "{\"type\": \"json_schema\", \"json_schema\": {\"name\": \"a\"}}", "response_format.json_schema.schema");
                Add(path, "structured_outputs", "1", "{}", "{\"regex\": \"(\"}", "{\"choice\": []}", "{\"grammar\": \"a\"}", "{\"json\": {\"type\": \"text\"}}", "{\"regex\": \"a\", \"choice\": [\"a\"]}");
                AddAs(path, "structured_outputs", "{\"regex\": 1}", "structured_outputs.regex");
                AddAs(path, "structured_outputs", "{\"choice\": [1]}", "structured_outputs.choice[0]");
                AddAs(path, "structured_outputs", "{\"xml\": 1}", "structured_outputs.xml");
                Add(path, "user", "1");
                Add(path, "store", "1");
                Add(path, "temprature", "1", "null");
                Add(path, "best", "{}");
            }

            Add(Completions, "prompt", "1", "null", "{}", "true", "[]", "[720]", "[-1]");
            AddAs(Completions, "prompt", "[1, \"a\"]", "prompt[1]");
            AddAs(Completions, "prompt", "[\"a\", 1]", "prompt[1]");
            AddAs(Completions, "prompt", "[[1], 2]", "prompt[1]");
            AddAs(Completions, "prompt", "[[1.5]]", "prompt[0][0]");
            AddAs(Completions, "prompt", "[null]", "prompt[0]");
            Add(Completions, "echo", "1");
            Add(Completions, "logprobs", "-1", "101", "true");
            Add(Completions, "best_of", "2", "\"a\"");
            Add(Completions, "suffix", "\"a\"", "1");
            Add(Completions, "messages", "[]");
            Add(Chat, "messages", "null", "[]", "1", "{}");
            AddAs(Chat, "messages", "[1]", "messages[0]");
            AddAs(Chat, "messages", "[{\"content\": \"a\"}]", "messages[0].role");
            AddAs(Chat, "messages", "[{\"role\": 1, \"content\": \"a\"}]", "messages[0].role");
            AddAs(Chat, "messages", "[{\"role\": \"nobody\", \"content\": \"a\"}]", "messages[0].role");
            AddAs(Chat, "messages", "[{\"role\": \"user\"}]", "messages[0].content");
            AddAs(Chat, "messages", "[{\"role\": \"user\", \"content\": 1}]", "messages[0].content");
            AddAs(Chat, "messages", "[{\"role\": \"user\", \"content\": [1]}]", "messages[0].content[0]");
            AddAs(Chat, "messages", "[{\"role\": \"user\", \"content\": [{\"type\": \"image_url\"}]}]", "messages[0].content[0].type");
            AddAs(Chat, "messages", "[{\"role\": \"user\", \"content\": [{\"type\": \"text\"}]}]", "messages[0].content[0].text");
            AddAs(Chat, "messages", "[{\"role\": \"user\", \"content\": \"a\", \"mood\": \"glad\"}]", "messages[0].mood");
            AddAs(Chat, "messages", "[{\"role\": \"assistant\", \"tool_calls\": [{}]}]", "messages[0].tool_calls[0]");
            AddAs(Chat, "messages", "[{\"role\": \"user\", \"content\": \"a\", \"audio\": {}}]", "messages[0].audio");
            AddAs(Chat, "messages", "[{\"role\": \"user\", \"content\": \"a\", \"function_call\": {}}]", "messages[0].function_call");
            Add(Chat, "logprobs", "1", "2");
            Add(Chat, "top_logprobs", "1", "-1", "21");
            Add(Chat, "max_completion_tokens", "\"a\"");
            AddAs(Chat, "max_completion_tokens", "9", "max_tokens");
            Add(Chat, "tools", "1", "{}");
            AddAs(Chat, "tools", "[1]", "tools[0]");
            AddAs(Chat, "tools", "[{\"type\": \"plugin\"}]", "tools[0].type");
            AddAs(Chat, "tools", "[{\"type\": \"function\"}]", "tools[0].function");
            Add(Chat, "tool_choice", "\"required\"", "{\"type\": \"function\", \"function\": {\"name\": \"f\"}}", "1", "\"any\"", "[]");
            AddAs(Chat, "tool_choice", "{}", "tool_choice.type");
            AddAs(Chat, "tool_choice", "{\"type\": \"function\"}", "tool_choice.function");
            Add(Chat, "modalities", "[\"text\", \"audio\"]", "1");
            Add(Chat, "chat_template_kwargs", "1", "[]");
            Add(Chat, "functions", "[]");
            Add(Chat, "reasoning_effort", "\"low\"");
            Add(Chat, "prompt", "\"a\"");
            Add(Embeddings, "model", "1", "null");
            Add(Embeddings, "input", "1", "null", "[]", "{}", "[720]");
            AddAs(Embeddings, "input", "[\"a\", 1]", "input[1]");
            Add(Embeddings, "encoding_format", "\"hex\"", "1");
            Add(Embeddings, "dimensions", "0", "-1", "65", "1.5");
            Add(Embeddings, "pooling", "\"mean\"");
            return wrong;

            void Add(string path, string name, params string[] values) => Array.ForEach(values, value => AddAs(path, name, value, name));

            void AddAs(string path, string sent, string value, string name) => wrong.Add(path, sent, value, name);
        }
    }

    [Theory]
    [MemberData(nameof(Wrong))]
    public async Task Answer_FieldThatIsWrong_NamesIt(string path, string field, string value, string name)
    {
        JsonObject request = Right(path);
        request[field] = null;
        string json = request.ToJsonString().Replace($"\"{field}\":null", $"\"{field}\":{value}", StringComparison.Ordinal);
        RestAnswer answer = await fixture.Rest.PostAsync(path, json);
        Assert.True(answer.Status == 400, $"{answer.Status}: {answer.Text}");
        Assert.Equal("invalid_request_error", answer.Error.GetProperty("type").GetString());
        Assert.Contains(name, answer.Message, StringComparison.Ordinal);
        Assert.True(answer.Param is null || answer.Param == name || answer.Param == field, answer.Text);
        Assert.All(s_foreign, foreign => Assert.DoesNotContain(foreign, answer.Message, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(Completions)]
    [InlineData(Chat)]
    [InlineData(Embeddings)]
    public async Task Answer_RequestThatTheOthersAreMadeOf_IsRight(string path)
    {
        RestAnswer answer = await fixture.Rest.PostAsync(path, Right(path));
        Assert.True(answer.Status == 200, answer.Text);
    }

    [Theory]
    [InlineData("", "not JSON")]
    [InlineData("{", "not JSON")]
    [InlineData("[]", "object")]
    [InlineData("\"a\"", "object")]
    [InlineData("null", "null")]
    [InlineData("{} {}", "not JSON")]
    [InlineData("{\"model\": \"red\",}", "not JSON")]
    [InlineData("{\"model\": NaN}", "not JSON")]
    [InlineData("{\"model\": \"red\", \"model\": \"blue\"}", "'model'")]
    [InlineData("{\"model\": \"red\", \"prompt\": \"\\ud800\"}", "surrogate")]
    [InlineData("{\"model\": \"red\", \"logit_bias\": {\"\\udc00\": 1}}", "surrogate")]
    [InlineData("{\"model\": \"red\", \"stop\": {\"a\": 1, \"a\": 2}}", "'a'")]
    public async Task Answer_BodyThatIsNone_SaysSo(string body, string words)
    {
        RestAnswer answer = await fixture.Rest.PostAsync(Completions, body);
        Assert.True(answer.Status == 400, $"{answer.Status}: {answer.Text}");
        Assert.Contains(words, answer.Message, StringComparison.Ordinal);
        Assert.All(s_foreign, foreign => Assert.DoesNotContain(foreign, answer.Message, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Answer_BodyThatIsNoUnicodeOrTooDeep_IsRefused()
    {
        byte[] latin = [.. "{\"model\":\""u8, 0xE9, .. "\"}"u8];
        Assert.Equal(400, (await fixture.Rest.SendAsync(HttpMethod.Post, Completions, latin, "application/json")).Status);
        string deep = $"{{\"metadata\": {new string('[', 10_000)}{new string(']', 10_000)}}}";
        Assert.Equal(400, (await fixture.Rest.PostAsync(Completions, deep)).Status);
    }

    [Theory]
    [InlineData("GET", Completions, 405)]
    [InlineData("DELETE", "v1/models", 405)]
    [InlineData("POST", "v1/nothing", 404)]
    [InlineData("GET", "v1", 404)]
    public async Task Answer_WhatThereIsNot_IsSaidInTheSameForm(string method, string path, int status)
    {
        RestAnswer answer = await fixture.Rest.SendAsync(new HttpMethod(method), path, null, "");
        Assert.Equal((status, "invalid_request_error"), (answer.Status, answer.Error.GetProperty("type").GetString()));
        Assert.Equal(status == 405, answer.Headers.ContainsKey("Allow"));
    }

    [Theory]
    [InlineData("text/plain", "")]
    [InlineData("application/x-www-form-urlencoded", "")]
    [InlineData("application/json", "gzip")]
    public async Task Answer_BodyOfAnotherType_IsUnsupported(string type, string encoding)
    {
        RestAnswer answer = encoding.Length == 0
            ? await fixture.Rest.PostAsync(Completions, Right(Completions).ToJsonString(), type)
            : await fixture.Rest.PostAsync(Completions, Right(Completions).ToJsonString(), type, ("Content-Encoding", encoding));
        Assert.Equal(415, answer.Status);
        Assert.NotNull(answer.Message);
    }

    [Theory]
    [InlineData("nobody")]
    [InlineData("red@9")]
    [InlineData("gpt-4/turbo")]
    [InlineData("a:b")]
    [InlineData("red+nobody")]
    public async Task Answer_ModelThatDoesNotExist_IsNotFound(string model)
    {
        foreach (string path in new[] { Completions, Chat, Embeddings })
        {
            JsonObject request = Right(path);
            request["model"] = model;
            RestAnswer answer = await fixture.Rest.PostAsync(path, request);
            Assert.Equal((404, "model_not_found", "model", "invalid_request_error"), (answer.Status, answer.Code, answer.Param, answer.Error.GetProperty("type").GetString()));
        }
    }

    [Fact]
    public async Task Answer_PromptThatDoesNotFit_SaysThatItIsTooLong()
    {
        JsonObject request = Right(Completions);
        request["prompt"] = string.Concat(Enumerable.Repeat("word ", 5_000));
        RestAnswer answer = await fixture.Rest.PostAsync(Completions, request);
        Assert.Equal((400, "context_length_exceeded"), (answer.Status, answer.Code));
    }

    [Fact]
    public async Task Answer_OnePromptOfManyThatIsRefused_LeavesNothingOfTheOthers()
    {
        JsonObject request = Right(Completions);
        request["max_tokens"] = 400;
        request["prompt"] = new JsonArray("one", "two", string.Concat(Enumerable.Repeat("word ", 5_000)));
        Assert.Equal(400, (await fixture.Rest.PostAsync(Completions, request)).Status);
        await fixture.Server.IdleAsync();
        request["prompt"] = new JsonArray([.. Enumerable.Repeat("a", 257).Select(text => JsonValue.Create(text))]);
        Assert.Contains("256", (await fixture.Rest.PostAsync(Completions, request)).Message, StringComparison.Ordinal);
    }

    private static JsonObject Right(string path) => path switch
    {
        Completions => new() { ["model"] = "red", ["prompt"] = "Hello", ["max_tokens"] = 3 },
        Chat => new() { ["model"] = "red", ["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = "Hello" }), ["max_tokens"] = 3 },
        _ => new() { ["model"] = "red", ["input"] = "Hello" },
    };

    /// <summary>One server for all of them: none of them harms it.</summary>
    public sealed class Fixture : IAsyncLifetime
    {
        internal TestServer Server { get; private set; } = null!;

        internal RestClient Rest { get; private set; } = null!;

        public async Task InitializeAsync()
        {
            Server = await TestServer.StartTinyAsync();
            await Server.LoadAsync(("red", 1));
            Rest = new RestClient(Server);
        }

        public async Task DisposeAsync()
        {
            await Server.IdleAsync();
            Rest.Dispose();
            await Server.DisposeAsync();
        }
    }
}
