using LoraServe.EndToEnd.Tests.Setup;
using LoraServe.V1;
using Microsoft.Extensions.AI;
using ChatMessage = Microsoft.Extensions.AI.ChatMessage;

namespace LoraServe.EndToEnd.Tests.Peers;

/// <summary>The typed client, by itself and as a chat client.</summary>
public class DotNetClientTests
{
    [Fact]
    public async Task StreamText_WithAdapter_IsTheTextOfGenerate()
    {
        await using TestServer server = await TestServer.StartTinyAsync();
        await server.LoadAsync(("a", 1));
        var sampling = new SamplingOptions { MaxTokens = 12, IgnoreEos = true };
        GenerateResponse whole = await server.Client.Inference.GenerateAsync(new GenerateRequest { Prompt = "Hello", Adapter = "a", Sampling = sampling });
        string streamed = "";
        await foreach (string piece in server.Client.StreamTextAsync("Hello", "a", sampling))
        {
            streamed += piece;
        }

        Assert.Equal(whole.Choices[0].Text, streamed);
        Assert.NotEmpty(streamed);
    }

    [Fact]
    public async Task UploadAdapter_Directory_IsServedLikeTheLoadedOne()
    {
        await using TestServer server = await TestServer.StartTinyAsync();
        await server.LoadAsync(("a", 1));
        LoadAdapterResponse uploaded = await server.Client.UploadAdapterAsync("b", Path.Combine(server.AdapterRoot, "a"), expectedVersion: 0);
        Assert.Equal(1u, uploaded.Adapter.Version);
        Assert.Equal(await server.AskAsync(Ask.For("a")), await server.AskAsync(Ask.For("b")));
    }

    [Fact]
    public async Task ChatClient_ModelId_IsTheAdapter()
    {
        await using TestServer server = await TestServer.StartTinyAsync();
        await server.LoadAsync(("a", 1), ("b", 2));
        using IChatClient chat = server.Client.AsChatClient("a");
        ChatMessage[] messages = [new(ChatRole.System, "Be brief."), new(ChatRole.User, "Hello")];
        foreach (string adapter in new[] { "a", "b", "" })
        {
            var request = new ChatRequest { Adapter = adapter, Sampling = new SamplingOptions { MaxTokens = 10 } };
            request.Messages.Add(messages.Select(message => new V1.ChatMessage { Role = message.Role.Value, Content = message.Text }));
            string expected = (await server.Client.Inference.ChatAsync(request)).Choices[0].Text;

            var options = new ChatOptions { ModelId = adapter, MaxOutputTokens = 10 };
            ChatResponse answer = await chat.GetResponseAsync(messages, options);
            Assert.Equal(expected, answer.Text);
            Assert.Equal(adapter, answer.ModelId);
            Assert.Equal(expected, string.Concat(await chat.GetStreamingResponseAsync(messages, options).Select(update => update.Text).ToListAsync()));
        }

        Assert.Equal((await chat.GetResponseAsync(messages, new ChatOptions { ModelId = "a" })).Text, (await chat.GetResponseAsync(messages)).Text);
    }
}
