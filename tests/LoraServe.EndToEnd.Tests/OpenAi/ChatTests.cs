using System.Text.Json;
using System.Text.Json.Nodes;
using LoraServe.EndToEnd.Tests.Setup;
using LoraServe.V1;

namespace LoraServe.EndToEnd.Tests.OpenAi;

/// <summary>What <c>/v1/chat/completions</c> answers is what gRPC answers, in OpenAI's words.</summary>
public sealed class ChatTests : TwoAdapters
{
    private const string Path = "v1/chat/completions";

    [Theory]
    [InlineData("model", "")]
    [InlineData("red", "red")]
    [InlineData("red:0.5+blue", "red:0.5+blue")]
    public async Task Answer_AConversation_IsThatOfGrpc(string model, string adapter)
    {
        var asked = new ChatRequest
        {
            Adapter = adapter,
            Messages = { new ChatMessage { Role = "system", Content = "Be short." }, new ChatMessage { Role = "user", Content = "Hello\nthere" } },
            Sampling = new SamplingOptions { MaxTokens = 12, IgnoreEos = true, Logprobs = 3 },
        };
        GenerateResponse expected = await Server.Client.Inference.ChatAsync(asked);

        // A developer is a system to a template that has heard of none, and parts are lines of a text.
        JsonObject request = Hello(model);
        request["messages"] = JsonNode.Parse("""
            [{"role": "developer", "content": "Be short."}, {"role": "user", "content": [{"type": "text", "text": "Hello"}, {"type": "text", "text": "there"}]}]
            """);
        JsonElement answer = (await Rest.PostAsync(Path, request)).Json;
        Assert.Equal((model, "chat.completion"), (answer.GetProperty("model").GetString(), answer.GetProperty("object").GetString()));
        JsonElement choice = answer.GetProperty("choices")[0];
        Assert.Equal(("assistant", expected.Choices[0].Text), (choice.GetProperty("message").GetProperty("role").GetString(), choice.GetProperty("message").GetProperty("content").GetString()));
        JsonElement[] tokens = [.. choice.GetProperty("logprobs").GetProperty("content").EnumerateArray()];
        Assert.Equal(expected.Choices[0].Logprobs.Select(token => token.Token.Logprob), tokens.Select(token => token.GetProperty("logprob").GetSingle()));
        Assert.All(tokens, token => Assert.Equal(3, token.GetProperty("top_logprobs").GetArrayLength()));
        Assert.Equal((int)expected.Usage.PromptTokens, answer.GetProperty("usage").GetProperty("prompt_tokens").GetInt32());
    }

    [Fact]
    public async Task Stream_OfTwoAnswers_HasWhatTheWholeAnswerHas()
    {
        JsonObject request = Hello("blue");
        request["n"] = 2;
        request["temperature"] = 1;
        request["seed"] = 7;
        JsonElement whole = (await Rest.PostAsync(Path, request)).Json;
        request["stream_options"] = new JsonObject { ["include_usage"] = true };
        List<JsonElement> parts = await Rest.StreamAsync(Path, request);

        Assert.All(parts, part => Assert.Equal("chat.completion.chunk", part.GetProperty("object").GetString()));
        foreach (JsonElement choice in whole.GetProperty("choices").EnumerateArray())
        {
            JsonElement[] pieces =
                [.. parts.SelectMany(part => part.GetProperty("choices").EnumerateArray()).Where(piece => piece.GetProperty("index").GetInt32() == choice.GetProperty("index").GetInt32())];
            Assert.Equal("assistant", pieces[0].GetProperty("delta").GetProperty("role").GetString());
            Assert.Equal(choice.GetProperty("message").GetProperty("content").GetString(), string.Concat(pieces.Select(Content)));
            Assert.Equal(choice.GetProperty("finish_reason").GetString(), pieces[^1].GetProperty("finish_reason").GetString());
            Assert.Equal(
                choice.GetProperty("logprobs").GetProperty("content").EnumerateArray().Select(token => token.GetRawText()),
                pieces.Skip(1).SelectMany(piece => piece.GetProperty("logprobs").GetProperty("content").EnumerateArray()).Select(token => token.GetRawText()));
        }

        Assert.Equal(24, parts[^1].GetProperty("usage").GetProperty("completion_tokens").GetInt32());

        static string? Content(JsonElement piece) => piece.GetProperty("delta").TryGetProperty("content", out JsonElement text) ? text.GetString() : "";
    }

    [Fact]
    public async Task Answer_WithoutABound_GoesOnUpToTheContext()
    {
        JsonObject request = Hello("red");
        request.Remove("max_completion_tokens");
        JsonElement answer = (await Rest.PostAsync(Path, request)).Json;
        Assert.Equal(TinyFiles.ContextLength, answer.GetProperty("usage").GetProperty("total_tokens").GetInt32());
        Assert.Equal("length", answer.GetProperty("choices")[0].GetProperty("finish_reason").GetString());
    }

    [Fact]
    public async Task Answer_ConversationWithToolsAndCalls_IsTaken()
    {
        JsonObject request = Hello("red");
        request["messages"] = JsonNode.Parse("""
            [
              {"role": "user", "content": "Weather?", "name": "ann"},
              {"role": "assistant", "content": null, "refusal": null, "annotations": [], "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "weather", "arguments": "{\"city\":\"Oslo\"}"}}]},
              {"role": "tool", "tool_call_id": "c1", "content": "rain"}
            ]
            """);
        request["tools"] = JsonNode.Parse("""[{"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}]""");
        request["tool_choice"] = "auto";
        request["parallel_tool_calls"] = false;
        request["response_format"] = new JsonObject { ["type"] = "text" };
        request["chat_template_kwargs"] = new JsonObject { ["thinking"] = true };
        RestAnswer answer = await Rest.PostAsync(Path, request);
        Assert.True(answer.Status == 200, answer.Text);
    }

    private static JsonObject Hello(string model) => new()
    {
        ["model"] = model,
        ["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = "Hello" }),
        ["temperature"] = 0,
        ["max_completion_tokens"] = 12,
        ["ignore_eos"] = true,
        ["logprobs"] = true,
        ["top_logprobs"] = 3,
    };
}
