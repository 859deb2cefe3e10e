using Grpc.Core;
using LoraServe.EndToEnd.Tests.Setup;
using LoraServe.V1;

namespace LoraServe.EndToEnd.Tests.Lifecycle;

/// <summary>A server that is told to stop while it works.</summary>
public class StopTests
{
    [Fact]
    public async Task Stop_WhileARequestRuns_LetsItEndAndTakesNothingNew()
    {
        await using TestServer server = await TestServer.StartTinyAsync();
        GenerateRequest request = Ask.For("", promptTokens: 10, tokens: 480);
        Answer quiet = await server.AskAsync(request);
        using AsyncServerStreamingCall<GenerateChunk> call = server.Client.Inference.GenerateStream(request);
        Assert.True(await call.ResponseStream.MoveNext(default));
        List<GenerateChunk> chunks = [call.ResponseStream.Current];
        Task drained = server.Engine.DrainAsync();
        await Refused.WithAsync(StatusCode.Unavailable, server.Client.Inference.GenerateAsync(Ask.For("")), "stopping");
        while (await call.ResponseStream.MoveNext(default))
        {
            chunks.Add(call.ResponseStream.Current);
        }

        Assert.Equal(quiet, Answer.Of(chunks));
        await drained.WaitAsync(TimeSpan.FromSeconds(30));
    }

    [Fact]
    public async Task Stop_InAHurry_CutsRunningRequestsWithAStatusAndSaysHowMany()
    {
        await using TestServer server = await TestServer.StartTinyAsync();
        AsyncServerStreamingCall<GenerateChunk>[] calls = [.. Enumerable.Range(0, 3).Select(i => Endless(server, i))];
        foreach (AsyncServerStreamingCall<GenerateChunk> call in calls)
        {
            Assert.True(await call.ResponseStream.MoveNext(default));
        }

        using var hurry = new CancellationTokenSource();
        Task stopped = server.Host.StopAsync(hurry.Token);
        await hurry.CancelAsync();
        foreach (AsyncServerStreamingCall<GenerateChunk> call in calls)
        {
            await Refused.WithAsync(StatusCode.Unavailable, async () =>
            {
                while (await call.ResponseStream.MoveNext(default))
                {
                }
            }, "stopping");
            call.Dispose();
        }

        await stopped;
        Assert.Contains(server.Log.Lines, line => line.Contains("3 requests are cut off", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Stop_WhileAnUploadRuns_EndsItWithAStatus()
    {
        await using TestServer server = await TestServer.StartTinyAsync();
        using AsyncClientStreamingCall<UploadAdapterRequest, LoadAdapterResponse> upload = server.Client.Adapters.Upload();
        await upload.RequestStream.WriteAsync(new UploadAdapterRequest { Header = new UploadHeader { Name = "half" } });
        string uploads = Path.Combine(server.StoreFolder, "uploads");
        await Eventually.TrueAsync(() => Directory.Exists(uploads) && Directory.GetDirectories(uploads).Length == 1, () => "the upload does not begin");
        await server.Host.StopAsync();
        await Refused.WithAsync(StatusCode.Unavailable, async () => await upload, "stopping");
    }

    /// <summary>An answer that takes long enough to be cut: many choices, as long as the context.</summary>
    private static AsyncServerStreamingCall<GenerateChunk> Endless(TestServer server, int seed)
    {
        GenerateRequest request = Ask.For("", seed, promptTokens: 10, tokens: 500);
        request.Sampling.N = 16;
        return server.Client.Inference.GenerateStream(request);
    }
}
