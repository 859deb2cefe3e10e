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
}
