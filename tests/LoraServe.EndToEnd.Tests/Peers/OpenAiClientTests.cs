using System.ClientModel;
using System.ClientModel.Primitives;
using System.Text.Json;
using LoraServe.EndToEnd.Tests.Setup;
using Microsoft.Extensions.AI;
using OpenAI;
using OpenAI.Chat;
using OpenAI.Embeddings;
using OpenAI.Models;

namespace LoraServe.EndToEnd.Tests.Peers;

/// <summary>OpenAI's own client for .NET, and Microsoft.Extensions.AI's chat client over it, unchanged.</summary>
public sealed class OpenAiClientTests : IAsyncLifetime
{
    private TestServer _server = null!;
    private OpenAIClient _client = null!;

    public async Task InitializeAsync()
    {
        _server = await TestServer.StartTinyAsync();
        await _server.LoadAsync(("red", 1), ("blue", 2));
        _client = new OpenAIClient(new ApiKeyCredential("none"), new OpenAIClientOptions { Endpoint = new Uri(_server.Host.HttpAddress, "v1"), RetryPolicy = new ClientRetryPolicy(0) });
    }

    public async Task DisposeAsync() => await _server.DisposeAsync();

    [Fact]
    public async Task Chat_WithTwoAdapters_IsGrpcsAnswerWholeAndStreamed()
    {
        foreach (string adapter in new[] { "red", "blue" })
        {
            string expected = await ExpectedAsync(adapter);
            ChatClient chat = _client.GetChatClient(adapter);
            OpenAI.Chat.ChatMessage[] messages = [new SystemChatMessage("Be short."), new UserChatMessage("Hello")];
            var options = new ChatCompletionOptions { Temperature = 0, MaxOutputTokenCount = 12, IncludeLogProbabilities = true, TopLogProbabilityCount = 2 };
            ChatCompletion whole = await chat.CompleteChatAsync(messages, options);
            Assert.Equal((expected, adapter), (whole.Content[0].Text, whole.Model));
            Assert.Equal(whole.Usage.OutputTokenCount, whole.ContentTokenLogProbabilities.Count);
            Assert.All(whole.ContentTokenLogProbabilities, token => Assert.Equal(2, token.TopLogProbabilities.Count));

            string streamed = "";
            ChatTokenUsage? usage = null;
            OpenAI.Chat.ChatFinishReason? finish = null;
            await foreach (StreamingChatCompletionUpdate update in chat.CompleteChatStreamingAsync(messages, options))
            {
                streamed += string.Concat(update.ContentUpdate.Select(part => part.Text));
                usage = update.Usage ?? usage;
                finish = update.FinishReason ?? finish;
            }

            Assert.Equal((expected, whole.FinishReason, whole.Usage.TotalTokenCount), (streamed, finish, usage?.TotalTokenCount));
        }
    }

    [Fact]
    public async Task ChatClient_OfMicrosoftExtensionsAI_IsGrpcsAnswer()
    {
        using IChatClient chat = _client.GetChatClient("red").AsIChatClient();
        Microsoft.Extensions.AI.ChatMessage[] messages = [new(ChatRole.System, "Be short."), new(ChatRole.User, "Hello")];
        foreach (string adapter in new[] { "red", "blue" })
        {
            var options = new ChatOptions { ModelId = adapter, Temperature = 0, MaxOutputTokens = 12 };
            string expected = await ExpectedAsync(adapter);
            ChatResponse whole = await chat.GetResponseAsync(messages, options);
            Assert.Equal((expected, adapter), (whole.Text, whole.ModelId));
            Assert.Equal(whole.Usage!.OutputTokenCount + whole.Usage.InputTokenCount, whole.Usage.TotalTokenCount);
            Assert.Equal(expected, (await chat.GetStreamingResponseAsync(messages, options).ToChatResponseAsync()).Text);
        }
    }

    [Fact]
    public async Task Chat_WithASchemaOrAForcedTool_IsWhatWasAskedFor()
    {
        BinaryData schema = BinaryData.FromString("""{"type": "object", "properties": {"n": {"type": "integer", "minimum": 0, "maximum": 9}}, "required": ["n"], "additionalProperties": false}""");
        ChatClient chat = _client.GetChatClient("red");
        ChatCompletion structured = await chat.CompleteChatAsync(
            [new UserChatMessage("Hello")], new ChatCompletionOptions { ResponseFormat = OpenAI.Chat.ChatResponseFormat.CreateJsonSchemaFormat("number", schema, jsonSchemaIsStrict: true) });
        Assert.InRange(JsonElement.Parse(structured.Content[0].Text).GetProperty("n").GetInt32(), 0, 9);

        var options = new ChatCompletionOptions { Tools = { ChatTool.CreateFunctionTool("count", "Counts.", schema) }, ToolChoice = ChatToolChoice.CreateFunctionChoice("count") };
        ChatCompletion calling = await chat.CompleteChatAsync([new UserChatMessage("Hello")], options);
        ChatToolCall call = Assert.Single(calling.ToolCalls);
        Assert.Equal(("count", OpenAI.Chat.ChatFinishReason.ToolCalls), (call.FunctionName, calling.FinishReason));
        Assert.InRange(JsonElement.Parse(call.FunctionArguments.ToString()).GetProperty("n").GetInt32(), 0, 9);
        OpenAI.Chat.ChatMessage[] conversation = [new UserChatMessage("Hello"), new AssistantChatMessage(calling), new ToolChatMessage(call.Id, "3")];
        Assert.NotEmpty((await chat.CompleteChatAsync(conversation, new ChatCompletionOptions { MaxOutputTokenCount = 4 })).Value.Content);

        string arguments = "";
        await foreach (StreamingChatCompletionUpdate update in chat.CompleteChatStreamingAsync([new UserChatMessage("Hello")], options))
        {
            arguments += string.Concat(update.ToolCallUpdates.Select(part => part.FunctionArgumentsUpdate?.ToString()));
        }

        Assert.InRange(JsonElement.Parse(arguments).GetProperty("n").GetInt32(), 0, 9);
    }

    [Fact]
    public async Task Embeddings_AreGrpcsVectors()
    {
        V1.EmbedResponse expected = await _server.Client.Inference.EmbedAsync(new V1.EmbedRequest { Adapter = "blue", Input = { "one", "two" }, Normalize = true });
        OpenAIEmbeddingCollection vectors = await _client.GetEmbeddingClient("blue").GenerateEmbeddingsAsync(["one", "two"]);
        Assert.Equal(expected.Embeddings.Select(each => each.Values.ToArray()), vectors.Select(each => each.ToFloats().ToArray()));
    }

    [Fact]
    public async Task Models_AreListed()
    {
        OpenAIModelCollection models = await _client.GetOpenAIModelClient().GetModelsAsync();
        Assert.Equal(["model", "blue", "red"], models.Select(model => model.Id));
        Assert.Equal("red", (await _client.GetOpenAIModelClient().GetModelAsync("red")).Value.Id);
    }

    [Fact]
    public async Task Refusals_AreTheClientsExceptions()
    {
        ClientResultException unknown = await Assert.ThrowsAsync<ClientResultException>(() => _client.GetChatClient("nobody").CompleteChatAsync("Hello"));
        Assert.Equal(404, unknown.Status);
        Assert.Contains("model_not_found", unknown.Message, StringComparison.Ordinal);
        ClientResultException wrong = await Assert.ThrowsAsync<ClientResultException>(
            () => _client.GetChatClient("red").CompleteChatAsync([new UserChatMessage("Hello")], new ChatCompletionOptions { TopP = 2 }));
        Assert.Equal(400, wrong.Status);
        Assert.Contains("top_p is 2", wrong.Message, StringComparison.Ordinal);
    }

    private async Task<string> ExpectedAsync(string adapter) => (await _server.Client.Inference.ChatAsync(new V1.ChatRequest
    {
        Adapter = adapter,
        Messages = { new V1.ChatMessage { Role = "system", Content = "Be short." }, new V1.ChatMessage { Role = "user", Content = "Hello" } },
        Sampling = new V1.SamplingOptions { MaxTokens = 12 },
    })).Choices[0].Text;
}
