using Grpc.Core;
using LoraServe.EndToEnd.Tests.Setup;
using LoraServe.V1;

namespace LoraServe.EndToEnd.Tests.BadInput;

/// <summary>Requests that cannot be answered are refused with the field and what it can be; the others do not notice.</summary>
public class RequestTests
{
    /// <summary>What is wrong, how a good request becomes it, the status, and words of the message.</summary>
    private static readonly (string Case, Action<GenerateRequest> Change, StatusCode Code, string[] Words)[] s_cases =
    [
        ("prompt longer than the context", r => r.PromptTokenIds.Add(TinyFiles.Tokens(1, 600)), StatusCode.InvalidArgument, ["630 tokens", "511 fit"]),
        ("prompt as long as the context", r => r.PromptTokenIds.Add(TinyFiles.Tokens(1, 482)), StatusCode.InvalidArgument, ["512 tokens", "511 fit"]),
        ("no tokens at all", WithoutTokens, StatusCode.InvalidArgument, ["prompt has no tokens", "Give"]),
        ("text and tokens", r => r.Prompt = "x", StatusCode.InvalidArgument, ["prompt", "prompt_token_ids"]),
        ("token outside the vocabulary", r => r.PromptTokenIds.Add(720), StatusCode.InvalidArgument, ["720", "0 to 719"]),
        ("greatest token", r => r.PromptTokenIds.Add(uint.MaxValue), StatusCode.InvalidArgument, ["prompt_token_ids"]),
        ("temperature not a number", r => r.Sampling.Temperature = float.NaN, StatusCode.InvalidArgument, ["temperature is NaN", "0 to 100"]),
        ("negative temperature", r => r.Sampling.Temperature = -1, StatusCode.InvalidArgument, ["temperature is -1"]),
        ("infinite temperature", r => r.Sampling.Temperature = float.PositiveInfinity, StatusCode.InvalidArgument, ["temperature is Infinity"]),
        ("top_p zero", r => r.Sampling.TopP = 0, StatusCode.InvalidArgument, ["top_p is 0"]),
        ("top_p above one", r => r.Sampling.TopP = 1.5f, StatusCode.InvalidArgument, ["top_p is 1.5"]),
        ("top_k absurd", r => r.Sampling.TopK = uint.MaxValue, StatusCode.InvalidArgument, ["top_k"]),
        ("min_p negative", r => r.Sampling.MinP = -0.1f, StatusCode.InvalidArgument, ["min_p is -0.1"]),
        ("repetition penalty zero", r => r.Sampling.RepetitionPenalty = 0, StatusCode.InvalidArgument, ["repetition_penalty"]),
        ("presence penalty not a number", r => r.Sampling.PresencePenalty = float.NaN, StatusCode.InvalidArgument, ["presence_penalty"]),
        ("frequency penalty absurd", r => r.Sampling.FrequencyPenalty = -1e30f, StatusCode.InvalidArgument, ["frequency_penalty"]),
        ("a prompt longer than the context, nothing to generate", LongerThanTheContext, StatusCode.InvalidArgument, ["513 tokens", "512 fit"]),
        ("max_tokens absurd", r => r.Sampling.MaxTokens = uint.MaxValue, StatusCode.InvalidArgument, ["max_tokens"]),
        ("min_tokens above max_tokens", r => r.Sampling.MinTokens = 11, StatusCode.InvalidArgument, ["min_tokens is 11", "0 to 10"]),
        ("no choices", r => r.Sampling.N = 0, StatusCode.InvalidArgument, ["n is 0"]),
        ("too many choices", r => r.Sampling.N = 1_000_000, StatusCode.InvalidArgument, ["n is 1000000"]),
        ("too many log-probabilities", r => r.Sampling.Logprobs = 100_000, StatusCode.InvalidArgument, ["logprobs is 100000"]),
        ("bias of a token outside the vocabulary", r => r.Sampling.LogitBias[720] = 1, StatusCode.InvalidArgument, ["logit_bias"]),
        ("bias not a number", r => r.Sampling.LogitBias[5] = float.NaN, StatusCode.InvalidArgument, ["logit_bias of token 5"]),
        ("stop token outside the vocabulary", r => r.Sampling.StopTokenIds.Add(100_000), StatusCode.InvalidArgument, ["stop_token_ids"]),
        ("empty stop text", r => r.Sampling.Stop.Add(""), StatusCode.InvalidArgument, ["stop text"]),
        ("too many stop texts", r => r.Sampling.Stop.Add(Enumerable.Repeat("x", 1000)), StatusCode.InvalidArgument, ["stop texts"]),
        ("unknown adapter", r => r.Adapter = "nonesuch", StatusCode.NotFound, ["There is no adapter 'nonesuch'", "List"]),
        ("unknown version", r => r.Adapter = "a@9", StatusCode.NotFound, ["a@9"]),
        ("version that is no number", r => r.Adapter = "a@x", StatusCode.InvalidArgument, ["name@3"]),
        ("adapter with a path as its name", r => r.Adapter = "../model", StatusCode.InvalidArgument, ["cannot be an adapter's name"]),
        ("adapter with an absolute path as its name", r => r.Adapter = "/etc/passwd", StatusCode.InvalidArgument, ["cannot be an adapter's name"]),
        ("weight that is no number", r => r.Adapter = "a:heavy", StatusCode.InvalidArgument, ["name:weight"]),
        ("weight not a number", r => r.Adapter = "a:NaN", StatusCode.InvalidArgument, ["weight"]),
        ("stack of a hundred", r => r.Adapter = string.Join('+', Enumerable.Repeat("a", 100)), StatusCode.InvalidArgument, ["100 adapters"]),
        ("adapter in both forms", r => r.Adapters = new AdapterSelection { Stack = { new AdapterWeight { Name = "a" } } }, StatusCode.InvalidArgument, ["adapter", "adapters"]),
        ("endless request id", r => r.RequestId = new string('x', 10_000), StatusCode.InvalidArgument, ["request_id"]),
    ];

    [Fact]
    public async Task Generate_BadRequests_AreRefusedAndDisturbNobody()
    {
        await using TestServer server = await TestServer.StartTinyAsync();
        await server.LoadAsync(("a", 1), ("b", 2));
        Bystanders bystanders = await Bystanders.AskQuietlyAsync(server, "a", "b");
        await bystanders.UndisturbedByAsync(async () =>
        {
            foreach ((string name, Action<GenerateRequest> change, StatusCode code, string[] words) in s_cases)
            {
                GenerateRequest request = Ask.For("a");
                change(request);
                try
                {
                    await Refused.WithAsync(code, server.Client.Inference.GenerateAsync(request), words);
                    await Refused.WithAsync(code, async () => await server.Client.Inference.GenerateStream(request).ResponseStream.MoveNext(default), words);
                }
                catch (Exception failure)
                {
                    throw new InvalidOperationException(name, failure);
                }
            }
        });
        await server.IdleAsync();
    }

    [Fact]
    public async Task OtherCalls_BadRequests_AreRefused()
    {
        await using TestServer server = await TestServer.StartTinyAsync();
        Inference.InferenceClient inference = server.Client.Inference;
        await Refused.WithAsync(StatusCode.InvalidArgument, inference.ChatAsync(new ChatRequest()), "messages");
        await Refused.WithAsync(
            StatusCode.InvalidArgument,
            inference.ChatAsync(new ChatRequest { Messages = { new ChatMessage { Role = "user" }, new ChatMessage { Role = "zzz", Content = "x" } } }),
            "messages[1].role is 'zzz'; expected system, user, assistant, tool.");
        await Refused.WithAsync(StatusCode.InvalidArgument, inference.ScoreAsync(new ScoreRequest { PromptTokenIds = { 5 } }), "nothing to score");
        await Refused.WithAsync(StatusCode.InvalidArgument, inference.ScoreAsync(new ScoreRequest { PromptTokenIds = { TinyFiles.Tokens(1, 513) } }), "512 fit");
        await Refused.WithAsync(StatusCode.InvalidArgument, inference.EmbedAsync(new EmbedRequest()), "nothing to embed");
        await Refused.WithAsync(StatusCode.InvalidArgument, inference.EmbedAsync(new EmbedRequest { Input = { Enumerable.Repeat("x", 1000) } }), "1000 input");
        await Refused.WithAsync(
            StatusCode.InvalidArgument, inference.TokenizeAsync(new TokenizeRequest { Text = "x", Messages = { new ChatMessage { Role = "user" } } }), "messages");
    }

    [Fact]
    public async Task Calls_WithTextAboveTheLimit_AreRefusedWithTheLimit()
    {
        await using TestServer server = await TestServer.StartTinyAsync(options => options.MaxTextLength = 1000);
        Inference.InferenceClient inference = server.Client.Inference;
        string text = new('x', 1001);
        string[] words = ["1001 characters", "it can have 1000"];
        await Refused.WithAsync(StatusCode.InvalidArgument, inference.TokenizeAsync(new TokenizeRequest { Text = text }), ["The text has", .. words]);
        await Refused.WithAsync(StatusCode.InvalidArgument, inference.GenerateAsync(new GenerateRequest { Prompt = text }), ["The prompt has", .. words]);
        await Refused.WithAsync(StatusCode.InvalidArgument, inference.ScoreAsync(new ScoreRequest { Prompt = "x", Continuations = { text } }), ["The continuations has", .. words]);
        await Refused.WithAsync(StatusCode.InvalidArgument, inference.EmbedAsync(new EmbedRequest { Input = { text } }), ["The input has", .. words]);
        Assert.NotEmpty((await inference.TokenizeAsync(new TokenizeRequest { Text = text[1..] })).TokenIds);
    }

    [Fact]
    public async Task Generate_MessageAboveTheLimit_IsRefusedWithTheLimit()
    {
        await using TestServer server = await TestServer.StartTinyAsync();
        var request = new GenerateRequest { Prompt = new string('x', 5 << 20) };
        await Refused.WithAsync(StatusCode.ResourceExhausted, server.Client.Inference.GenerateAsync(request), "4194304");
        await server.AskAsync(Ask.For(""));
    }

    private static void LongerThanTheContext(GenerateRequest request)
    {
        request.PromptTokenIds.Add(TinyFiles.Tokens(1, 483));
        request.Sampling.MaxTokens = 0;
    }

    private static void WithoutTokens(GenerateRequest request)
    {
        request.PromptTokenIds.Clear();
        request.SkipSpecialTokensInPrompt = true;
    }
}
