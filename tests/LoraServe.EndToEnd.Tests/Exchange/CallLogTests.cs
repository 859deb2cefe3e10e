using Grpc.Core;
using LoraServe.EndToEnd.Tests.Setup;
using LoraServe.V1;

namespace LoraServe.EndToEnd.Tests.Exchange;

/// <summary>The one line that each call leaves in the log.</summary>
public class CallLogTests
{
    [Fact]
    public async Task Log_OfEachCall_HasTheIdOfItsAnswer()
    {
        await using TestServer server = await TestServer.StartTinyAsync();
        List<string> ids = [];
        using (AsyncServerStreamingCall<GenerateChunk> stream = server.Client.Inference.GenerateStream(Ask.For("")))
        {
            await foreach (GenerateChunk chunk in stream.ResponseStream.ReadAllAsync())
            {
                ids.Add(chunk.RequestId);
            }
        }

        ids.Add((await server.Client.Inference.GenerateAsync(Ask.For(""))).RequestId);
        ids.Add((await server.Client.Inference.EmbedAsync(new EmbedRequest { Input = { "x" } })).RequestId);
        GenerateRequest named = Ask.For("");
        named.RequestId = "mine";
        await server.Client.Inference.GenerateAsync(named);
        foreach (string id in ids.Append("mine").Distinct())
        {
            await Eventually.TrueAsync(
                () => server.Log.Lines.Any(line => line.Contains($"OK for tenant 'default'", StringComparison.Ordinal) && line.Contains($"request '{id}'", StringComparison.Ordinal)),
                () => $"no line for '{id}': {string.Join('\n', server.Log.Lines)}");
        }
    }
}
