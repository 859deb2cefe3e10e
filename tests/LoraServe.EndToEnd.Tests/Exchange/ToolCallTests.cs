using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using LoraServe.EndToEnd.Tests.Setup;
using LoraServe.V1;
using Microsoft.Extensions.AI;
using AiMessage = Microsoft.Extensions.AI.ChatMessage;
using ChatMessage = LoraServe.V1.ChatMessage;

namespace LoraServe.EndToEnd.Tests.Exchange;

/// <summary>What a model writes as tool calls comes as tool calls.</summary>
public sealed class ToolCallTests : IAsyncLifetime, IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private TestServer _server = null!;

    public async Task InitializeAsync() => _server = await ToolScript.StartAsync(_folder);

    public async Task DisposeAsync() => await _server.DisposeAsync();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Chat_WithTools_HasTheCallsBesideTheText()
    {
        GenerateResponse answer = await _server.Client.Inference.ChatAsync(Request());

        Choice choice = Assert.Single(answer.Choices);
        Assert.Equal((ToolScript.Said, ToolScript.Said, FinishReason.ToolCalls), (choice.Text, choice.Message.Content, choice.FinishReason));
        Assert.Equal([("get_weather", """{"city": "Paris"}"""), ("get_time", "{}")], choice.Message.ToolCalls.Select(call => (call.Name, call.ArgumentsJson)));
        Assert.All(choice.Message.ToolCalls, call => Assert.Matches("^[0-9A-Za-z]{9}$", call.Id));
        Assert.Equal("mistral", (await _server.Client.Inference.ModelInfoAsync(new ModelInfoRequest())).ToolCalls);
    }

    [Fact]
    public async Task ChatStream_WithTools_IsWhatChatAnswers()
    {
        GenerateResponse whole = await _server.Client.Inference.ChatAsync(Request());
        using AsyncServerStreamingCall<GenerateChunk> call = _server.Client.Inference.ChatStream(Request());
        List<GenerateChunk> chunks = await call.ResponseStream.ReadAllAsync().ToListAsync();

        Assert.Equal(whole.Choices[0].Text, string.Concat(chunks.Select(chunk => chunk.Text)));
        Assert.Equal(FinishReason.ToolCalls, Assert.Single(chunks, chunk => chunk.FinishReason != FinishReason.Unspecified).FinishReason);
        ToolCallDelta[] deltas = [.. chunks.SelectMany(chunk => chunk.ToolCalls)];
        Assert.True(deltas.Count(delta => delta.Index == 0) > 1, "the arguments came at once");
        Assert.Equal(
            whole.Choices[0].Message.ToolCalls,
            deltas.GroupBy(delta => delta.Index).Select(group => new ToolCall
            {
                Id = string.Concat(group.Select(delta => delta.Id)),
                Name = string.Concat(group.Select(delta => delta.Name)),
                ArgumentsJson = string.Concat(group.Select(delta => delta.ArgumentsJson)),
            }));
    }

    [Fact]
    public async Task Chat_CutOffInACall_HandsItOutAsText()
    {
        ChatRequest request = Request();
        request.Sampling = new SamplingOptions { MaxTokens = 5 };
        Choice choice = Assert.Single((await _server.Client.Inference.ChatAsync(request)).Choices);

        Assert.Equal(FinishReason.Length, choice.FinishReason);
        Assert.Empty(choice.Message.ToolCalls);
        Assert.Equal("""I look.[TOOL_CALLS][{"name": "get_weather", "arguments": {"city": "Par""", choice.Text);
    }

    [Fact]
    public async Task Chat_ChoiceOfNoTool_HidesThem()
    {
        ChatRequest request = Request();
        request.ToolChoice = "none";

        Assert.Equal(ToolScript.WithoutTools, (await _server.Client.Inference.ChatAsync(request)).Choices[0].Text);
    }

    [Fact]
    public async Task Chat_UnknownChoice_IsRefusedByName()
    {
        ChatRequest request = Request();
        request.ToolChoice = "nonesuch";
        RpcException refusal = await Assert.ThrowsAsync<RpcException>(async () => await _server.Client.Inference.ChatAsync(request));

        Assert.Equal(StatusCode.InvalidArgument, refusal.StatusCode);
        Assert.Contains("tool_choice is 'nonesuch'", refusal.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Chat_WithCallsAndResults_GoesOnFromThem()
    {
        ChatRequest request = Request();
        ChatMessage called = (await _server.Client.Inference.ChatAsync(request)).Choices[0].Message;
        request.Messages.Add(called);
        request.Messages.AddRange(called.ToolCalls.Select(call => new ChatMessage { Role = "tool", Content = "sunny", ToolCallId = call.Id }));
        Choice choice = (await _server.Client.Inference.ChatAsync(request)).Choices[0];

        Assert.Equal((ToolScript.Told, FinishReason.Stop), (choice.Text, choice.FinishReason));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task FunctionInvokingClient_OverTheChatClient_CallsTheFunctions(bool streams)
    {
        List<string> called = [];
        var options = new ChatOptions
        {
            Tools =
            [
                AIFunctionFactory.Create((string city) => Note($"weather of {city}", "sunny"), "get_weather"),
                AIFunctionFactory.Create(() => Note("time", "noon"), "get_time"),
            ],
        };
        using IChatClient chat = _server.Client.AsChatClient().AsBuilder().UseFunctionInvocation().Build();
        AiMessage[] messages = [new(ChatRole.User, "How is the weather?")];
        ChatResponse answer = streams ? await chat.GetStreamingResponseAsync(messages, options).ToChatResponseAsync() : await chat.GetResponseAsync(messages, options);

        Assert.Equal(["weather of Paris", "time"], called);
        Assert.Equal(ToolScript.Told, answer.Messages[^1].Text);
        Assert.Equal(2, answer.Messages.SelectMany(message => message.Contents).OfType<FunctionResultContent>().Count());

        string Note(string call, string result)
        {
            called.Add(call);
            return result;
        }
    }

    private static ChatRequest Request() => new()
    {
        Messages = { new ChatMessage { Role = "user", Content = "How is the weather?" } },
        Tools = { Tool("get_weather"), Tool("get_time") },
        RequestId = "same",
    };

    private static Struct Tool(string name)
    {
        const string Form = """{"type": "function", "function": {"name": "NAME", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}}""";
        return Struct.Parser.ParseJson(Form.Replace("NAME", name, StringComparison.Ordinal));
    }
}
