using Grpc.Core;
using LoraServe.EndToEnd.Tests.Setup;
using LoraServe.V1;

namespace LoraServe.EndToEnd.Tests.BadInput;

/// <summary>Deadlines that have passed, or pass while an answer is generated.</summary>
public class DeadlineTests
{
    [Fact]
    public async Task Generate_DeadlineInThePast_IsRefusedByTheClient()
    {
        await using TestServer server = await TestServer.StartTinyAsync();
        await Refused.WithAsync(StatusCode.DeadlineExceeded, server.Client.Inference.GenerateAsync(Ask.For(""), deadline: DateTime.UtcNow.AddSeconds(-1)));
    }

    [Fact]
    public async Task GenerateStream_DeadlineWhileGenerating_EndsTheAnswerAndFreesItsPages()
    {
        await using TestServer server = await TestServer.StartTinyAsync();
        await server.LoadAsync(("a", 1));
        Bystanders bystanders = await Bystanders.AskQuietlyAsync(server, "a");
        await bystanders.UndisturbedByAsync(async () =>
        {
            // The reader stops after the first token, so that the answer cannot end in time.
            GenerateRequest request = Ask.For("a", promptTokens: 10, tokens: 500);
            request.Sampling.N = 8;
            using AsyncServerStreamingCall<GenerateChunk> call = server.Client.Inference.GenerateStream(request, deadline: DateTime.UtcNow.AddSeconds(0.3));
            await Refused.WithAsync(StatusCode.DeadlineExceeded, async () =>
            {
                while (await call.ResponseStream.MoveNext(default))
                {
                    Assert.Null(call.ResponseStream.Current.Usage);
                    await Task.Delay(1);
                }
            });
        });
        await server.IdleAsync();
    }
}
