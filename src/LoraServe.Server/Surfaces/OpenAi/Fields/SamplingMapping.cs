using System.Globalization;
using LoraServe.Server.Surfaces.Http;
using LoraServe.Server.Surfaces.OpenAi.Messages;
using LoraServe.Serving.Requests;

namespace LoraServe.Server.Surfaces.OpenAi.Fields;

/// <summary>Sampling fields as the engine takes them. What was not sent has OpenAI's default here, where temperature is 1.</summary>
internal static class SamplingMapping
{
    /// <param name="fields">The fields.</param>
    /// <param name="maxTokens">Most tokens of an answer.</param>
    /// <param name="logprobs">How many alternatives have log-probabilities; null for none, and none of the tokens themselves.</param>
    public static SamplingOptions ToDomain(SamplingFields fields, int maxTokens, int? logprobs) => new()
    {
        MaxTokens = maxTokens,
        Temperature = fields.Temperature ?? 1,
        TopP = fields.TopP switch { null => 1, 0 => float.Epsilon, { } share => share },
        TopK = fields.TopK is -1 or null ? 0 : fields.TopK.Value,
        MinP = fields.MinP ?? 0,
        RepetitionPenalty = fields.RepetitionPenalty ?? 1,
        PresencePenalty = fields.PresencePenalty ?? 0,
        FrequencyPenalty = fields.FrequencyPenalty ?? 0,
        LogitBias = Biases(fields.LogitBias),
        Seed = unchecked((ulong?)fields.Seed),
        Stop = FieldReading.Texts(fields.Stop, "stop"),
        StopTokenIds = fields.StopTokenIds ?? [],
        IgnoreEndToken = fields.IgnoreEos ?? false,
        MinTokens = fields.MinTokens ?? 0,
        Choices = fields.N ?? 1,
        Constraint = ConstraintMapping.Of(fields),
        LogProbabilities = logprobs,
    };

    /// <summary>Whether an answer is streamed, and ends with what it cost.</summary>
    public static (bool IsStreamed, bool HasUsage) Stream(SamplingFields fields) => fields is { StreamOptions: not null, Stream: not true }
        ? throw JsonMessage.Refusal("The 'stream_options' parameter is only allowed when 'stream' is enabled.", "stream_options")
        : (fields.Stream ?? false, fields.StreamOptions?.IncludeUsage ?? false);

    private static Dictionary<int, float> Biases(IReadOnlyDictionary<string, float>? biases)
    {
        var byToken = new Dictionary<int, float>();
        foreach ((string token, float bias) in biases ?? new Dictionary<string, float>())
        {
            if (!int.TryParse(token, NumberStyles.None, CultureInfo.InvariantCulture, out int id) || !byToken.TryAdd(id, bias))
            {
                throw JsonMessage.Refusal($"logit_bias has the key '{FieldReading.Shown(token)}'; expected token ids as digits, each once.", "logit_bias");
            }
        }

        return byToken;
    }
}
