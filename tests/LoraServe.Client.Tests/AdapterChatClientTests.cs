using LoraServe.V1;
using Microsoft.Extensions.AI;
using AiMessage = Microsoft.Extensions.AI.ChatMessage;

namespace LoraServe.Client.Tests;

public sealed class AdapterChatClientTests : IAsyncLifetime
{
    private ServerDouble _server = null!;
    private LoraServeClient _client = null!;

    private ChatRequest Heard => Assert.IsType<ChatRequest>(Assert.Single(_server.Conversation.Heard));

    public async Task InitializeAsync()
    {
        _server = await ServerDouble.StartAsync();
        _client = _server.Connect();
        _server.Conversation.Answer = new GenerateResponse
        {
            RequestId = "id",
            Choices = { new Choice { Text = "Hello", FinishReason = FinishReason.Stop } },
            Usage = new Usage { PromptTokens = 3, CompletionTokens = 4 },
        };
    }

    public async Task DisposeAsync()
    {
        _client.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task GetResponse_Answer_IsMapped()
    {
        ChatResponse answer = await _client.AsChatClient("support").GetResponseAsync([new AiMessage(ChatRole.User, "Hi")]);

        Assert.Equal(("Hello", "id", "support", ChatFinishReason.Stop), (answer.Text, answer.ResponseId, answer.ModelId, answer.FinishReason));
        Assert.Equal(ChatRole.Assistant, Assert.Single(answer.Messages).Role);
        Assert.Equal((3, 4, 7), (answer.Usage?.InputTokenCount, answer.Usage?.OutputTokenCount, answer.Usage?.TotalTokenCount));
    }

    [Fact]
    public async Task GetResponse_NoOptions_LeavesEverythingToTheServer()
    {
        await _client.AsChatClient().GetResponseAsync([new AiMessage(ChatRole.User, "Hi")]);

        Assert.Equal(new ChatRequest { Messages = { new V1.ChatMessage { Role = "user", Content = "Hi" } }, Sampling = new SamplingOptions() }, Heard);
    }

    [Fact]
    public async Task GetResponse_Options_AreMapped()
    {
        var options = new ChatOptions
        {
            ModelId = "other",
            Instructions = "Be brief.",
            MaxOutputTokens = 1,
            Temperature = 0,
            TopP = 0.5f,
            TopK = 2,
            PresencePenalty = 0.25f,
            FrequencyPenalty = 0.75f,
            Seed = 5,
            StopSequences = ["."],
        };

        ChatResponse answer = await _client.AsChatClient("support").GetResponseAsync([new AiMessage(ChatRole.User, "Hi"), new AiMessage(ChatRole.Assistant, "Hello")], options);

        Assert.Equal("other", answer.ModelId);
        Assert.Equal(
            new ChatRequest
            {
                Adapter = "other",
                Messages =
                {
                    new V1.ChatMessage { Role = "system", Content = "Be brief." },
                    new V1.ChatMessage { Role = "user", Content = "Hi" },
                    new V1.ChatMessage { Role = "assistant", Content = "Hello" },
                },
                Sampling = new SamplingOptions
                {
                    MaxTokens = 1,
                    Temperature = 0,
                    TopP = 0.5f,
                    TopK = 2,
                    PresencePenalty = 0.25f,
                    FrequencyPenalty = 0.75f,
                    Seed = 5,
                    Stop = { "." },
                },
            },
            Heard);
    }

    /// <summary>What Microsoft.Extensions.AI makes of a type is what the server is asked for, and its answer is one of the type.</summary>
    [Fact]
    public async Task GetResponseOfType_TheTypesSchema_IsAskedFor()
    {
        _server.Conversation.Answer = new GenerateResponse { Choices = { new Choice { Text = """{"name":"Ada","age":36}""", FinishReason = FinishReason.Stop } }, Usage = new Usage() };

        ChatResponse<Person> answer = await _client.AsChatClient().GetResponseAsync<Person>([new AiMessage(ChatRole.User, "Who?")]);

        Assert.Equal(new Person("Ada", 36), answer.Result);
        Constraint constraint = Heard.Sampling.Constraint;
        Assert.Equal(Constraint.KindOneofCase.JsonSchema, constraint.KindCase);
        Assert.Contains("\"age\"", constraint.JsonSchema, StringComparison.Ordinal);
    }

    [Fact]
    public async Task GetResponse_JsonWithoutSchema_IsAnyObject()
    {
        await _client.AsChatClient().GetResponseAsync([new AiMessage(ChatRole.User, "Hi")], new ChatOptions { ResponseFormat = ChatResponseFormat.Json });

        Assert.Equal(new Constraint { JsonObject = true }, Heard.Sampling.Constraint);
    }

    [Fact]
    public async Task GetStreamingResponse_Chunks_AreUpdatesAndTheUsageComesLast()
    {
        _server.Conversation.Chunks =
        [
            new GenerateChunk { RequestId = "id", Text = "Hel" },
            new GenerateChunk { RequestId = "id", Text = "lo", FinishReason = FinishReason.Length },
            new GenerateChunk { RequestId = "id", Usage = new Usage { CompletionTokens = 2 } },
        ];
        List<ChatResponseUpdate> updates = [];
        await foreach (ChatResponseUpdate update in _client.AsChatClient("support").GetStreamingResponseAsync([new AiMessage(ChatRole.User, "Hi")]))
        {
            updates.Add(update);
        }

        Assert.Equal("Hello", string.Concat(updates.Select(update => update.Text)));
        Assert.Equal([null, ChatFinishReason.Length], updates.Where(update => update.Text.Length > 0).Select(update => update.FinishReason));
        Assert.Equal(2, Assert.IsType<UsageContent>(Assert.Single(updates[^1].Contents)).Details.OutputTokenCount);
        Assert.All(updates, update => Assert.Equal(("id", "support"), (update.ResponseId, update.ModelId)));
    }

    [Fact]
    public async Task GetResponse_ToolsCallsAndResults_AreMapped()
    {
        AIFunction tool = AIFunctionFactory.Create((string city) => city, "get_weather", "The weather.");
        AiMessage[] messages =
        [
            new(ChatRole.User, "Weather?"),
            new(ChatRole.Assistant, [new TextContent("I look."), new FunctionCallContent("1", "get_weather", new Dictionary<string, object?> { ["city"] = "Rome" })]),
            new(ChatRole.Tool, [new FunctionResultContent("1", "sunny"), new FunctionResultContent("2", new { degrees = 21 })]),
        ];

        await _client.AsChatClient().GetResponseAsync(messages, new ChatOptions { Tools = [tool], ToolMode = ChatToolMode.RequireSpecific("get_weather") });

        Assert.Equal(
            [
                new V1.ChatMessage { Role = "user", Content = "Weather?" },
                new V1.ChatMessage { Role = "assistant", Content = "I look.", ToolCalls = { new ToolCall { Id = "1", Name = "get_weather", ArgumentsJson = "{\"city\":\"Rome\"}" } } },
                new V1.ChatMessage { Role = "tool", Content = "sunny", ToolCallId = "1" },
                new V1.ChatMessage { Role = "tool", Content = "{\"degrees\":21}", ToolCallId = "2" },
            ],
            Heard.Messages);
        Assert.Equal("get_weather", Heard.ToolChoice);
        Google.Protobuf.WellKnownTypes.Struct function = Assert.Single(Heard.Tools).Fields["function"].StructValue;
        Assert.Equal(("get_weather", "The weather."), (function.Fields["name"].StringValue, function.Fields["description"].StringValue));
        Assert.Contains("city", function.Fields["parameters"].StructValue.Fields["properties"].StructValue.Fields.Keys);
    }

    [Fact]
    public async Task GetResponse_ToolModes_AreTheChoices()
    {
        foreach (ChatToolMode? mode in new ChatToolMode?[] { null, ChatToolMode.Auto, ChatToolMode.None, ChatToolMode.RequireAny })
        {
            await _client.AsChatClient().GetResponseAsync([new AiMessage(ChatRole.User, "Hi")], new ChatOptions { ToolMode = mode });
        }

        Assert.Equal(["", "", "none", "required"], _server.Conversation.Heard.Cast<ChatRequest>().Select(request => request.ToolChoice));
    }

    [Fact]
    public async Task GetResponse_ToolThatIsNoFunction_IsRefused() =>
        await Assert.ThrowsAsync<NotSupportedException>(() => _client.AsChatClient().GetResponseAsync([new AiMessage(ChatRole.User, "Hi")], new ChatOptions { Tools = [new HostedWebSearchTool()] }));

    [Fact]
    public async Task GetResponse_AnswerWithCalls_HasThemBesideTheText()
    {
        _server.Conversation.Answer = new GenerateResponse
        {
            Usage = new Usage(),
            Choices =
            {
                new Choice
                {
                    Text = "I look.",
                    FinishReason = FinishReason.ToolCalls,
                    Message = new V1.ChatMessage { Content = "I look.", ToolCalls = { new ToolCall { Id = "1", Name = "f", ArgumentsJson = "{\"x\": 1}" } } },
                },
            },
        };
        ChatResponse answer = await _client.AsChatClient().GetResponseAsync([new AiMessage(ChatRole.User, "Hi")]);

        Assert.Equal(("I look.", ChatFinishReason.ToolCalls), (answer.Text, answer.FinishReason));
        FunctionCallContent call = Assert.Single(answer.Messages[0].Contents.OfType<FunctionCallContent>());
        Assert.Equal(("1", "f", "1"), (call.CallId, call.Name, call.Arguments?["x"]?.ToString()));
    }

    [Fact]
    public async Task GetStreamingResponse_Calls_ComeWholeAtTheirEnd()
    {
        _server.Conversation.Chunks =
        [
            new GenerateChunk { Text = "I look.", ToolCalls = { new ToolCallDelta { Id = "1", Name = "f", ArgumentsJson = "{\"x\"" } } },
            new GenerateChunk { ToolCalls = { new ToolCallDelta { ArgumentsJson = ": 1}" }, new ToolCallDelta { Index = 1, Id = "2", Name = "g" } } },
            new GenerateChunk { ToolCalls = { new ToolCallDelta { Index = 1, ArgumentsJson = "no JSON" } }, FinishReason = FinishReason.ToolCalls },
            new GenerateChunk { Usage = new Usage { CompletionTokens = 2 } },
        ];
        ChatResponse answer = await _client.AsChatClient().GetStreamingResponseAsync([new AiMessage(ChatRole.User, "Hi")]).ToChatResponseAsync();

        Assert.Equal(("I look.", ChatFinishReason.ToolCalls), (answer.Text, answer.FinishReason));
        FunctionCallContent[] calls = [.. answer.Messages[0].Contents.OfType<FunctionCallContent>()];
        Assert.Equal([("1", "f"), ("2", "g")], calls.Select(call => (call.CallId, call.Name)));
        Assert.Equal("1", calls[0].Arguments?["x"]?.ToString());
        Assert.NotNull(calls[1].Exception);
    }

    [Fact]
    public void GetService_FindsTheClientBehindIt()
    {
        using IChatClient chat = _client.AsChatClient();

        Assert.Same(_client, chat.GetService(typeof(LoraServeClient)));
        Assert.Same(chat, chat.GetService(typeof(IChatClient)));
        Assert.Null(chat.GetService(typeof(string)));
        Assert.Null(chat.GetService(typeof(IChatClient), serviceKey: "any"));
    }

    [Fact]
    public async Task Dispose_ChatClient_LeavesTheConnectionOpen()
    {
        _client.AsChatClient().Dispose();

        Assert.Equal("Hello", (await _client.AsChatClient().GetResponseAsync([new AiMessage(ChatRole.User, "Hi")])).Text);
    }

    private sealed record Person(string Name, int Age);
}
