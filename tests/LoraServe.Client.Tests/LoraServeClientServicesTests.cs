using Grpc.Core;
using LoraServe.V1;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;

namespace LoraServe.Client.Tests;

public sealed class LoraServeClientServicesTests
{
    [Fact]
    public async Task AddLoraServeClient_Resolved_CallsWithItsKeyAndRetries()
    {
        await using ServerDouble server = await ServerDouble.StartAsync();
        server.Conversation.Failures.Enqueue(new RpcException(new Status(StatusCode.Unavailable, "not now"), new Metadata { { "grpc-retry-pushback-ms", "0" } }));
        var services = new ServiceCollection();
        services.AddLoraServeClient(server.Address, options =>
        {
            options.Key = "secret";
            options.RetryBackoff = TimeSpan.FromHours(1);
        });
        await using ServiceProvider provider = services.BuildServiceProvider(validateScopes: true);

        await provider.GetRequiredService<LoraServeClient>().Inference.ChatAsync(new ChatRequest());

        Assert.Equal(["Bearer secret", "Bearer secret"], server.Conversation.Keys);
    }

    [Fact]
    public async Task AddLoraServeClient_ClientDisposed_LeavesTheOthersTheirConnection()
    {
        await using ServerDouble server = await ServerDouble.StartAsync();
        var services = new ServiceCollection();
        services.AddLoraServeClient(server.Address);
        await using ServiceProvider provider = services.BuildServiceProvider();
        provider.GetRequiredService<LoraServeClient>().Dispose();

        await provider.GetRequiredService<LoraServeClient>().Inference.ChatAsync(new ChatRequest());

        Assert.Null(Assert.Single(server.Conversation.Keys));
    }

    [Fact]
    public async Task AddLoraServeChatClient_Resolved_AsksForItsAdapter()
    {
        await using ServerDouble server = await ServerDouble.StartAsync();
        server.Conversation.Answer = new GenerateResponse { Choices = { new Choice { Text = "Hello" } }, Usage = new Usage() };
        var services = new ServiceCollection();
        services.AddLoraServeClient(server.Address);
        services.AddLoraServeChatClient("support");
        await using ServiceProvider provider = services.BuildServiceProvider(validateScopes: true);

        ChatResponse answer = await provider.GetRequiredService<IChatClient>().GetResponseAsync("Hi");

        Assert.Equal("Hello", answer.Text);
        Assert.Equal("support", Assert.IsType<ChatRequest>(Assert.Single(server.Conversation.Heard)).Adapter);
    }
}
