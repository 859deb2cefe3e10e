using LoraServe.Server.Surfaces.Grpc.Inference;
using LoraServe.Serving.Requests;
using Proto = LoraServe.V1;

namespace LoraServe.Server.Tests.Surfaces.Grpc.Inference;

public sealed class SamplingMappingTests
{
    public static TheoryData<string, Proto.SamplingOptions> TooLarge => new()
    {
        { "max_tokens", new Proto.SamplingOptions { MaxTokens = uint.MaxValue } },
        { "top_k", new Proto.SamplingOptions { TopK = 1u << 31 } },
        { "min_tokens", new Proto.SamplingOptions { MinTokens = uint.MaxValue } },
        { "n", new Proto.SamplingOptions { N = uint.MaxValue } },
        { "logprobs", new Proto.SamplingOptions { Logprobs = uint.MaxValue } },
        { "stop_token_ids", new Proto.SamplingOptions { StopTokenIds = { uint.MaxValue } } },
        { "logit_bias", new Proto.SamplingOptions { LogitBias = { [uint.MaxValue] = 1 } } },
    };

    [Fact]
    public void ToDomain_NothingSet_KeepsTheEnginesDefaults()
    {
        var defaults = new SamplingOptions();

        Assert.Equal(defaults, SamplingMapping.ToDomain(null));
        SamplingOptions empty = SamplingMapping.ToDomain(new Proto.SamplingOptions());
        Assert.Empty(empty.LogitBias);
        Assert.Empty(empty.Stop);
        Assert.Empty(empty.StopTokenIds);
        Assert.Equal(defaults, empty with { LogitBias = defaults.LogitBias, Stop = defaults.Stop, StopTokenIds = defaults.StopTokenIds });
    }

    [Fact]
    public void ToDomain_ZeroesThatAreSet_AreNotDefaults()
    {
        SamplingOptions sampling = SamplingMapping.ToDomain(new Proto.SamplingOptions { MaxTokens = 0, TopP = 0, RepetitionPenalty = 0, N = 0, Logprobs = 0, Seed = 0 });

        Assert.Equal((0, 0f, 0f, 0), (sampling.MaxTokens, sampling.TopP, sampling.RepetitionPenalty, sampling.Choices));
        Assert.Equal((0, 0ul), (sampling.LogProbabilities, sampling.Seed));
    }

    [Fact]
    public void ToDomain_EveryField_IsCarried()
    {
        SamplingOptions sampling = SamplingMapping.ToDomain(new Proto.SamplingOptions
        {
            MaxTokens = 1,
            Temperature = 2,
            TopP = 3,
            TopK = 4,
            MinP = 5,
            RepetitionPenalty = 6,
            PresencePenalty = 7,
            FrequencyPenalty = 8,
            LogitBias = { [9] = 10 },
            Seed = ulong.MaxValue,
            Stop = { "stop" },
            StopTokenIds = { 11 },
            IgnoreEos = true,
            MinTokens = 12,
            N = 13,
            Logprobs = 14,
        });

        Assert.Equal((1, 2f, 3f, 4, 5f), (sampling.MaxTokens, sampling.Temperature, sampling.TopP, sampling.TopK, sampling.MinP));
        Assert.Equal((6f, 7f, 8f), (sampling.RepetitionPenalty, sampling.PresencePenalty, sampling.FrequencyPenalty));
        Assert.Equal((9, 10f), (sampling.LogitBias.Single().Key, sampling.LogitBias.Single().Value));
        Assert.Equal((ulong.MaxValue, "stop", 11), (sampling.Seed, Assert.Single(sampling.Stop), Assert.Single(sampling.StopTokenIds)));
        Assert.Equal((true, 12, 13, 14), (sampling.IgnoreEndToken, sampling.MinTokens, sampling.Choices, sampling.LogProbabilities));
    }

    [Fact]
    public void ToDomain_EveryKindOfConstraint_IsCarried()
    {
        Assert.Equal((ConstraintKind.JsonSchema, "{}"), Constrained(new Proto.Constraint { JsonSchema = "{}" }));
        Assert.Equal((ConstraintKind.JsonObject, ""), Constrained(new Proto.Constraint { JsonObject = true }));
        Assert.Equal((ConstraintKind.Regex, "a+"), Constrained(new Proto.Constraint { Regex = "a+" }));
        Assert.Equal((ConstraintKind.Grammar, "root ::= x"), Constrained(new Proto.Constraint { Grammar = "root ::= x" }));
        Assert.Equal((ConstraintKind.Choices, "a|b"), Constrained(new Proto.Constraint { Choices = new Proto.ChoiceList { Texts = { "a", "b" } } }));

        static (ConstraintKind, string) Constrained(Proto.Constraint message) =>
            SamplingMapping.ToDomain(new Proto.SamplingOptions { Constraint = message }).Constraint is { } constraint ? (constraint.Kind, string.Join('|', constraint.Texts)) : default;
    }

    [Fact]
    public void ToDomain_ConstraintThatSaysNothing_IsRefused()
    {
        foreach (Proto.Constraint message in new[] { new Proto.Constraint(), new Proto.Constraint { JsonObject = false } })
        {
            Assert.StartsWith("constraint says nothing", Assert.Throws<EngineException>(() => SamplingMapping.ToDomain(new Proto.SamplingOptions { Constraint = message })).Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [MemberData(nameof(TooLarge))]
    public void ToDomain_NumberThatNoIntegerHolds_NamesTheField(string field, Proto.SamplingOptions message)
    {
        EngineException refusal = Assert.Throws<EngineException>(() => SamplingMapping.ToDomain(message));

        Assert.Equal(EngineError.InvalidRequest, refusal.Error);
        Assert.StartsWith($"{field} is ", refusal.Message, StringComparison.Ordinal);
    }
}
