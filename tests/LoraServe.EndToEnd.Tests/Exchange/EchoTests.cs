using Grpc.Core;
using LoraServe.EndToEnd.Tests.Setup;
using LoraServe.V1;

namespace LoraServe.EndToEnd.Tests.Exchange;

/// <summary>The prompt in front of the answer, with its log-probabilities, whole and streamed.</summary>
public class EchoTests
{
    [Theory]
    [InlineData(3)]
    [InlineData(0)]
    public async Task Generate_EchoAndLogProbabilities_AreThePromptsAndTheAnswers(int maxTokens)
    {
        await using TestServer server = await TestServer.StartTinyAsync();
        await server.LoadAsync(("a", 1));
        var request = new GenerateRequest
        {
            Adapter = "a",
            Prompt = "Hello there",
            Echo = true,
            Sampling = new SamplingOptions { MaxTokens = (uint)maxTokens, Logprobs = 1, N = 2, IgnoreEos = true },
        };
        GenerateResponse whole = await server.Client.Inference.GenerateAsync(request);
        ScoreResponse score = await server.Client.Inference.ScoreAsync(new ScoreRequest { Adapter = "a", Prompt = request.Prompt });
        Assert.Equal(score.Scores[0].TokenLogprobs, whole.PromptLogprobs.Skip(1).Select(token => token.Token.Logprob));
        Assert.Equal(score.Scores[0].TokenIds, whole.PromptLogprobs.Skip(1).Select(token => token.Token.TokenId));
        Assert.False(whole.PromptLogprobs[0].Token.HasLogprob);
        Assert.All(whole.PromptLogprobs.Skip(1), token => Assert.Single(token.Top));
        Assert.Equal((2, (uint)(2 * maxTokens)), (whole.Choices.Count, whole.Usage.CompletionTokens));
        Assert.All(whole.Choices, choice =>
        {
            Assert.StartsWith("Hello there", choice.Text, StringComparison.Ordinal);
            Assert.Equal((maxTokens, maxTokens, FinishReason.Length), (choice.TokenIds.Count, choice.Logprobs.Count, choice.FinishReason));
        });

        List<GenerateChunk> chunks = [];
        using AsyncServerStreamingCall<GenerateChunk> call = server.Client.Inference.GenerateStream(request);
        await foreach (GenerateChunk chunk in call.ResponseStream.ReadAllAsync())
        {
            chunks.Add(chunk);
        }

        Assert.Equal(whole.PromptLogprobs, chunks[0].PromptLogprobs);
        Assert.Empty(chunks.Skip(1).SelectMany(chunk => chunk.PromptLogprobs));
        foreach (Choice choice in whole.Choices)
        {
            GenerateChunk[] own = [.. chunks.SkipLast(1).Where(chunk => chunk.Index == choice.Index)];
            Assert.Equal(choice.Text, string.Concat(own.Select(chunk => chunk.Text)));
            Assert.Equal(choice.FinishReason, own[^1].FinishReason);
        }

        Assert.Equal(whole.Usage.CompletionTokens, chunks[^1].Usage.CompletionTokens);
        Assert.Empty((await server.Client.Inference.GenerateAsync(new GenerateRequest(request) { Echo = false })).PromptLogprobs);
    }
}
