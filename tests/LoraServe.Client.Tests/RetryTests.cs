using Grpc.Core;
using LoraServe.V1;

namespace LoraServe.Client.Tests;

/// <summary>Which calls are tried again, when, and how often.</summary>
public sealed class RetryTests : IAsyncLifetime
{
    private const string PushbackHeader = "grpc-retry-pushback-ms";

    /// <summary>Longer than any test: an attempt that is made anyway was made when the server said so.</summary>
    private static readonly TimeSpan s_never = TimeSpan.FromHours(1);

    private ServerDouble _server = null!;

    private Conversation Conversation => _server.Conversation;

    public async Task InitializeAsync() => _server = await ServerDouble.StartAsync();

    public async Task DisposeAsync() => await _server.DisposeAsync();

    [Theory]
    [InlineData(StatusCode.Unavailable)]
    [InlineData(StatusCode.ResourceExhausted)]
    public async Task Call_FailsAndThenDoesNot_IsAnswered(StatusCode code)
    {
        using LoraServeClient client = Connect(TimeSpan.FromMilliseconds(1));
        Fail(code, times: 3);

        await client.Inference.ChatAsync(new ChatRequest());

        Assert.Equal(4, Conversation.Heard.Count);
    }

    [Fact]
    public async Task Call_ServerSaysWhenToComeBack_ComesThen()
    {
        using LoraServeClient client = Connect(s_never);
        Fail(StatusCode.ResourceExhausted, times: 3, pushback: "0");

        await client.Inference.ChatAsync(new ChatRequest());

        Assert.Equal(4, Conversation.Heard.Count);
    }

    [Fact]
    public async Task Call_ServerSaysNeverToComeBack_IsNotTriedAgain()
    {
        using LoraServeClient client = Connect(TimeSpan.FromMilliseconds(1));
        Fail(StatusCode.ResourceExhausted, times: 1, pushback: "-1");

        await FailsAsync(StatusCode.ResourceExhausted, async () => await client.Inference.ChatAsync(new ChatRequest()));
    }

    [Fact]
    public async Task Call_FailsAgainAndAgain_EndsAfterItsAttempts()
    {
        using LoraServeClient client = Connect(s_never, maxAttempts: 7);
        Fail(StatusCode.Unavailable, times: 20, pushback: "0");

        await FailsAsync(StatusCode.Unavailable, async () => await client.Inference.ChatAsync(new ChatRequest()), heard: 7);
    }

    [Theory]
    [InlineData(StatusCode.InvalidArgument)]
    [InlineData(StatusCode.Internal)]
    [InlineData(StatusCode.DeadlineExceeded)]
    public async Task Call_WouldFailTheSameWay_IsNotTriedAgain(StatusCode code)
    {
        using LoraServeClient client = Connect(TimeSpan.FromMilliseconds(1));
        Fail(code, times: 1);

        await FailsAsync(code, async () => await client.Inference.ChatAsync(new ChatRequest()));
    }

    [Fact]
    public async Task Call_WithOneAttempt_IsNotTriedAgain()
    {
        using LoraServeClient client = Connect(TimeSpan.FromMilliseconds(1), maxAttempts: 1);
        Fail(StatusCode.Unavailable, times: 1);

        await FailsAsync(StatusCode.Unavailable, async () => await client.Inference.ChatAsync(new ChatRequest()));
    }

    [Fact]
    public async Task Stream_FailsBeforeItsFirstChunk_IsTriedAgain()
    {
        using LoraServeClient client = Connect(s_never);
        Conversation.Chunks = [new GenerateChunk { Text = "Hello" }];
        Fail(StatusCode.Unavailable, times: 1, pushback: "0");

        Assert.Equal(["Hello"], await client.StreamTextAsync("x").ToListAsync());
        Assert.Equal(2, Conversation.Heard.Count);
    }

    [Fact]
    public async Task Stream_FailsAfterItsFirstChunk_IsNotTriedAgain()
    {
        using LoraServeClient client = Connect(TimeSpan.FromMilliseconds(1));
        Conversation.Chunks = [new GenerateChunk { Text = "Hel" }];
        Conversation.StreamFailure = Failure(StatusCode.Unavailable, null);

        await FailsAsync(StatusCode.Unavailable, async () => await client.StreamTextAsync("x").ToListAsync());
    }

    [Fact]
    public async Task Change_MayHaveHappened_IsNotTriedAgain()
    {
        using LoraServeClient client = Connect(TimeSpan.FromMilliseconds(1));
        Fail(StatusCode.Unavailable, times: 1);

        await FailsAsync(StatusCode.Unavailable, async () => await client.Training.StartAsync(new StartTrainingRequest()));
    }

    [Fact]
    public async Task Change_RefusedBecauseTheQueueIsFull_IsTriedAgain()
    {
        using LoraServeClient client = Connect(s_never);
        Fail(StatusCode.ResourceExhausted, times: 2, pushback: "0");

        Assert.Equal("job-7", (await client.Training.StartAsync(new StartTrainingRequest())).Id);
        Assert.Equal(3, Conversation.Heard.Count);
    }

    [Fact]
    public async Task Upload_CutOffInTheMiddle_IsNotTriedAgain()
    {
        using LoraServeClient client = Connect(TimeSpan.FromMilliseconds(1));
        using AsyncClientStreamingCall<UploadAdapterRequest, LoadAdapterResponse> upload = client.Adapters.Upload();
        Fail(StatusCode.Unavailable, times: 1);
        await upload.RequestStream.WriteAsync(new UploadAdapterRequest { Header = new UploadHeader { Name = "a" } });

        await FailsAsync(StatusCode.Unavailable, async () => await upload);
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(2, 0)]
    public void Options_ThatCannotBe_AreRefused(int attempts, int backoffSeconds) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => Connect(TimeSpan.FromSeconds(backoffSeconds), attempts));

    private static RpcException Failure(StatusCode code, string? pushback) =>
        new(new Status(code, "not now"), pushback is null ? [] : new Metadata { { PushbackHeader, pushback } });

    private LoraServeClient Connect(TimeSpan backoff, int maxAttempts = 4) =>
        new(_server.Address, new LoraServeClientOptions { RetryBackoff = backoff, MaxAttempts = maxAttempts });

    private void Fail(StatusCode code, int times, string? pushback = null)
    {
        for (int i = 0; i < times; i++)
        {
            Conversation.Failures.Enqueue(Failure(code, pushback));
        }
    }

    private async Task FailsAsync(StatusCode code, Func<Task> call, int heard = 1)
    {
        Assert.Equal(code, (await Assert.ThrowsAsync<RpcException>(call)).StatusCode);
        Assert.Equal(heard, Conversation.Heard.Count);
    }
}
