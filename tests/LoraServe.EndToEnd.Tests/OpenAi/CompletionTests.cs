using System.Text.Json;
using System.Text.Json.Nodes;
using LoraServe.EndToEnd.Tests.Setup;
using LoraServe.V1;

namespace LoraServe.EndToEnd.Tests.OpenAi;

/// <summary>What <c>/v1/completions</c> answers is what gRPC answers, in OpenAI's words.</summary>
public sealed class CompletionTests : TwoAdapters
{
    private const string Path = "v1/completions";

    [Theory]
    [InlineData("model", "")]
    [InlineData("red", "red")]
    [InlineData("red@1", "red")]
    [InlineData("model:blue", "blue")]
    [InlineData("red:0.7+blue:0.3", "red:0.7+blue:0.3")]
    [InlineData("model:red:0.7+blue:0.3", "red:0.7+blue:0.3")]
    public async Task Answer_EveryWayToNameAModel_IsThatOfGrpcAndSaysTheNameAgain(string model, string adapter)
    {
        GenerateRequest asked = Ask.For(adapter);
        GenerateResponse expected = await Server.Client.Inference.GenerateAsync(asked);
        RestAnswer answer = await Rest.PostAsync(Path, Like(asked, model));
        Assert.True(answer.Status == 200, answer.Text);
        JsonElement json = answer.Json;
        Assert.Equal((model, "text_completion"), (json.GetProperty("model").GetString(), json.GetProperty("object").GetString()));
        Assert.StartsWith("cmpl-", json.GetProperty("id").GetString(), StringComparison.Ordinal);
        Assert.Equal($"cmpl-{answer.Headers["X-Request-Id"]}", json.GetProperty("id").GetString());
        JsonElement choice = Assert.Single(json.GetProperty("choices").EnumerateArray());
        Assert.Equal((expected.Choices[0].Text, "length"), (choice.GetProperty("text").GetString(), choice.GetProperty("finish_reason").GetString()));
        Assert.Equal(
            expected.Choices[0].Logprobs.Select(token => token.Token.Logprob),
            choice.GetProperty("logprobs").GetProperty("token_logprobs").EnumerateArray().Select(number => number.GetSingle()));
        Assert.Equal(
            expected.Adapters.Select(served => (served.Name, (int)served.Version, served.Digest, served.Weight)),
            json.GetProperty("adapters").EnumerateArray().Select(served =>
                (served.GetProperty("name").GetString()!, served.GetProperty("version").GetInt32(), served.GetProperty("digest").GetString()!, served.GetProperty("weight").GetSingle())));
        JsonElement usage = json.GetProperty("usage");
        Assert.Equal((30, 10, 40), (usage.GetProperty("prompt_tokens").GetInt32(), usage.GetProperty("completion_tokens").GetInt32(), usage.GetProperty("total_tokens").GetInt32()));
    }

    [Fact]
    public async Task Answer_SeveralPromptsAndAnswersEach_AreCountedThrough()
    {
        JsonObject request = Like(Ask.For("red", temperature: 1), "red");
        request["prompt"] = new JsonArray("one", "two", "three");
        request["n"] = 2;
        request["max_tokens"] = 5;
        RestAnswer answer = await Rest.PostAsync(Path, request);
        Assert.True(answer.Status == 200, answer.Text);
        Assert.Equal(Enumerable.Range(0, 6), answer.Json.GetProperty("choices").EnumerateArray().Select(choice => choice.GetProperty("index").GetInt32()));
        Assert.Equal(30, answer.Json.GetProperty("usage").GetProperty("completion_tokens").GetInt32());

        string[] streamed = new string[6];
        foreach (JsonElement choice in (await Rest.StreamAsync(Path, request)).SelectMany(part => part.GetProperty("choices").EnumerateArray()))
        {
            streamed[choice.GetProperty("index").GetInt32()] += choice.GetProperty("text").GetString();
        }

        Assert.Equal(answer.Json.GetProperty("choices").EnumerateArray().Select(choice => choice.GetProperty("text").GetString()), streamed);
    }

    [Fact]
    public async Task Stream_WithEchoLogprobsAndUsage_HasWhatTheWholeAnswerHas()
    {
        JsonObject request = Like(Ask.For("blue"), "blue");
        request["echo"] = true;
        request["prompt"] = "Hello there";
        JsonElement whole = (await Rest.PostAsync(Path, request)).Json;
        request["stream_options"] = new JsonObject { ["include_usage"] = true };
        List<JsonElement> parts = await Rest.StreamAsync(Path, request);

        JsonElement choice = whole.GetProperty("choices")[0];
        JsonElement[] pieces = [.. parts.SelectMany(part => part.GetProperty("choices").EnumerateArray())];
        Assert.StartsWith("Hello there", choice.GetProperty("text").GetString(), StringComparison.Ordinal);
        Assert.Equal(choice.GetProperty("text").GetString(), string.Concat(pieces.Select(piece => piece.GetProperty("text").GetString())));
        foreach (string list in new[] { "tokens", "token_logprobs", "top_logprobs", "text_offset" })
        {
            Assert.Equal(
                choice.GetProperty("logprobs").GetProperty(list).EnumerateArray().Select(value => value.GetRawText()),
                pieces.SelectMany(piece => piece.GetProperty("logprobs").GetProperty(list).EnumerateArray()).Select(value => value.GetRawText()));
        }

        Assert.Equal("null", choice.GetProperty("logprobs").GetProperty("token_logprobs")[0].GetRawText());
        Assert.Equal("length", Assert.Single(pieces, piece => piece.GetProperty("finish_reason").ValueKind != JsonValueKind.Null).GetProperty("finish_reason").GetString());
        Assert.All(parts.SkipLast(1), part => Assert.Equal(JsonValueKind.Null, part.GetProperty("usage").ValueKind));
        Assert.Equal(0, parts[^1].GetProperty("choices").GetArrayLength());
        Assert.Equal(whole.GetProperty("usage").GetProperty("total_tokens").GetInt32(), parts[^1].GetProperty("usage").GetProperty("total_tokens").GetInt32());
        Assert.Equal("blue", parts[0].GetProperty("adapters")[0].GetProperty("name").GetString());
        Assert.Single(parts.Select(part => part.GetProperty("id").GetString()).Distinct());
    }

    [Fact]
    public async Task Answer_NothingToGenerate_IsThePromptWithItsProbabilities()
    {
        var request = new JsonObject { ["model"] = "red", ["prompt"] = "Hello there", ["max_tokens"] = 0, ["echo"] = true, ["logprobs"] = 0 };
        JsonElement choice = (await Rest.PostAsync(Path, request)).Json.GetProperty("choices")[0];
        Assert.Equal(("Hello there", "length"), (choice.GetProperty("text").GetString(), choice.GetProperty("finish_reason").GetString()));
        Assert.Equal("Hello there", Assert.Single((await Rest.StreamAsync(Path, request))).GetProperty("choices")[0].GetProperty("text").GetString());
    }

    [Fact]
    public async Task Answer_ToldNothingMore_HasSixteenTokensDrawnAtTemperatureOne()
    {
        JsonObject request = new() { ["model"] = "red", ["prompt"] = new JsonArray([.. TinyFiles.Tokens(1, 9).Select(id => JsonValue.Create(id))]), ["ignore_eos"] = true, ["seed"] = -5 };
        JsonElement one = (await Rest.PostAsync(Path, request)).Json;
        Assert.Equal(16, one.GetProperty("usage").GetProperty("completion_tokens").GetInt32());
        request["temperature"] = 1;
        Assert.Equal(one.GetProperty("choices").GetRawText(), (await Rest.PostAsync(Path, request)).Json.GetProperty("choices").GetRawText());
        request["temperature"] = 0;
        Assert.NotEqual(one.GetProperty("choices").GetRawText(), (await Rest.PostAsync(Path, request)).Json.GetProperty("choices").GetRawText());
    }

    [Fact]
    public async Task Answer_SentTwice_SaysWhatWasFoundInTheCache()
    {
        JsonObject request = Like(Ask.For("red", promptTokens: 200), "red");
        Assert.Equal(0, Cached(await Rest.PostAsync(Path, request)));
        Assert.True(Cached(await Rest.PostAsync(Path, request)) > 100);
        int Cached(RestAnswer answer) => answer.Json.GetProperty("usage").GetProperty("prompt_tokens_details").GetProperty("cached_tokens").GetInt32();
    }

    [Fact]
    public async Task Answer_RequestWithAnId_HasItInHeaderAnswerAndLog()
    {
        RestAnswer answer = await Rest.PostAsync(Path, Like(Ask.For("red"), "red").ToJsonString(), headers: ("X-Request-Id", "mine"));
        Assert.Equal(("mine", "cmpl-mine"), (answer.Headers["X-Request-Id"], answer.Json.GetProperty("id").GetString()));
        await Eventually.TrueAsync(
            () => Server.Log.Lines.Any(line => line.Contains("POST /v1/completions: 200 for tenant 'default'", StringComparison.Ordinal) && line.Contains("request 'mine'", StringComparison.Ordinal)),
            () => string.Join('\n', Server.Log.Lines));
    }

    private static JsonObject Like(GenerateRequest asked, string model) => new()
    {
        ["model"] = model,
        ["prompt"] = new JsonArray([.. asked.PromptTokenIds.Select(id => JsonValue.Create(id))]),
        ["max_tokens"] = asked.Sampling.MaxTokens,
        ["temperature"] = asked.Sampling.Temperature,
        ["seed"] = asked.Sampling.Seed,
        ["ignore_eos"] = true,
        ["logprobs"] = asked.Sampling.Logprobs,
    };
}
