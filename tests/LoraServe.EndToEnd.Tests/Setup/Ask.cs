using LoraServe.V1;

namespace LoraServe.EndToEnd.Tests.Setup;

/// <summary>Requests with random prompts, the same for the same seed.</summary>
internal static class Ask
{
    public static GenerateRequest For(string adapter, int seed = 1, int promptTokens = 30, uint tokens = 10, float temperature = 0)
    {
        var request = new GenerateRequest
        {
            Adapter = adapter,
            Sampling = new SamplingOptions { MaxTokens = tokens, IgnoreEos = true, Logprobs = 2, Temperature = temperature, Seed = (ulong)seed },
        };
        request.PromptTokenIds.AddRange(TinyFiles.Tokens(seed, promptTokens));
        return request;
    }
}
