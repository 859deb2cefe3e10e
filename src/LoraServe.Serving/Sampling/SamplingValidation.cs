using LoraServe.Serving.Requests;

namespace LoraServe.Serving.Sampling;

/// <summary>Refuses sampling options that mean nothing, naming the field, its value and its range.</summary>
internal static class SamplingValidation
{
    private const int MaxStopTexts = 16;
    private const int MaxStopLength = 256;
    private const int MaxStopTokens = 128;
    private const int MaxBiases = 1024;
    private const int MaxTopLogProbabilities = 100;

    public static void Check(SamplingOptions options, int vocabularySize, int maxChoices)
    {
        Range(options.MaxTokens, 0, int.MaxValue, "max_tokens");
        Range(options.Temperature, 0, 100, "temperature");
        Range(options.TopK, 0, int.MaxValue, "top_k");
        Range(options.TopP, float.Epsilon, 1, "top_p");
        Range(options.MinP, 0, 1, "min_p");
        Range(options.RepetitionPenalty, 1e-3f, 1e3f, "repetition_penalty");
        Range(options.PresencePenalty, -2, 2, "presence_penalty");
        Range(options.FrequencyPenalty, -2, 2, "frequency_penalty");
        Range(options.MinTokens, 0, options.MaxTokens, "min_tokens");
        Range(options.Choices, 1, maxChoices, "n");
        Range(options.LogProbabilities ?? 0, 0, MaxTopLogProbabilities, "logprobs");
        Range(options.LogitBias.Count, 0, MaxBiases, "logit_bias", "the number of logit_bias entries");
        Range(options.Stop.Count, 0, MaxStopTexts, "stop", "the number of stop texts");
        Range(options.StopTokenIds.Count, 0, MaxStopTokens, "stop_token_ids", "the number of stop_token_ids");
        foreach ((int token, float bias) in options.LogitBias)
        {
            Range(token, 0, vocabularySize - 1, "logit_bias", "a token id in logit_bias");
            Range(bias, -100, 100, "logit_bias", $"logit_bias of token {token}");
        }

        foreach (int token in options.StopTokenIds)
        {
            Range(token, 0, vocabularySize - 1, "stop_token_ids", "a token id in stop_token_ids");
        }

        foreach (string stop in options.Stop)
        {
            Range(stop.Length, 1, MaxStopLength, "stop", "the length of a stop text");
        }
    }

    // Written so that NaN fails.
    private static void Range(float value, float low, float high, string field, string? what = null)
    {
        if (!(value >= low && value <= high))
        {
            throw new EngineException(EngineError.InvalidSampling, FormattableString.Invariant($"{what ?? field} is {value}; it can be {low} to {high}.")) { Field = field };
        }
    }

    private static void Range(int value, int low, int high, string field, string? what = null)
    {
        if (value < low || value > high)
        {
            throw new EngineException(EngineError.InvalidSampling, FormattableString.Invariant($"{what ?? field} is {value}; it can be {low} to {high}.")) { Field = field };
        }
    }
}
