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
}
