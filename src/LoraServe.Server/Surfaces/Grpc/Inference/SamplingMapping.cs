using LoraServe.Serving.Requests;
using Proto = LoraServe.V1;

namespace LoraServe.Server.Surfaces.Grpc.Inference;

/// <summary>Sampling options of a message as the engine takes them; what is absent keeps the engine's default.</summary>
internal static class SamplingMapping
{
    public static SamplingOptions ToDomain(Proto.SamplingOptions? message)
    {
        var defaults = new SamplingOptions();
        return message is null ? defaults : new SamplingOptions
        {
            MaxTokens = message.HasMaxTokens ? Bounded(message.MaxTokens, "max_tokens") : defaults.MaxTokens,
            Temperature = message.HasTemperature ? message.Temperature : defaults.Temperature,
            TopP = message.HasTopP ? message.TopP : defaults.TopP,
            TopK = message.HasTopK ? Bounded(message.TopK, "top_k") : defaults.TopK,
            MinP = message.HasMinP ? message.MinP : defaults.MinP,
            RepetitionPenalty = message.HasRepetitionPenalty ? message.RepetitionPenalty : defaults.RepetitionPenalty,
            PresencePenalty = message.PresencePenalty,
            FrequencyPenalty = message.FrequencyPenalty,
            LogitBias = message.LogitBias.ToDictionary(entry => Bounded(entry.Key, "logit_bias"), entry => entry.Value),
            Seed = message.HasSeed ? message.Seed : null,
            Stop = [.. message.Stop],
            StopTokenIds = Tokens(message.StopTokenIds, "stop_token_ids"),
            IgnoreEndToken = message.IgnoreEos,
            MinTokens = Bounded(message.MinTokens, "min_tokens"),
            Choices = message.HasN ? Bounded(message.N, "n") : defaults.Choices,
            Constraint = ToDomain(message.Constraint),
            LogProbabilities = message.HasLogprobs ? Bounded(message.Logprobs, "logprobs") : null,
        };
    }

    /// <summary>Token ids of a message; the engine checks them against its vocabulary.</summary>
    public static int[] Tokens(IReadOnlyCollection<uint> ids, string field) => [.. ids.Select(id => Bounded(id, field))];

    private static Constraint? ToDomain(Proto.Constraint? message) => message?.KindCase switch
    {
        null => null,
        Proto.Constraint.KindOneofCase.JsonSchema => Constraint.JsonSchema(message.JsonSchema),
        Proto.Constraint.KindOneofCase.JsonObject when message.JsonObject => Constraint.JsonObject,
        Proto.Constraint.KindOneofCase.Regex => Constraint.Regex(message.Regex),
        Proto.Constraint.KindOneofCase.Grammar => Constraint.Grammar(message.Grammar),
        Proto.Constraint.KindOneofCase.Choices => Constraint.Choices(message.Choices.Texts),
        _ => throw new EngineException(EngineError.InvalidRequest, "constraint says nothing. Set json_schema, json_object (true), regex, grammar or choices, or leave it away."),
    };

    private static int Bounded(uint value, string field) => value <= int.MaxValue
        ? (int)value
        : throw new EngineException(EngineError.InvalidRequest, $"{field} is {value}; the greatest value is {int.MaxValue}.");
}
