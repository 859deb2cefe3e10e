using System.Text.RegularExpressions;
using LoraServe.Models;
using LoraServe.Serving.Options;
using LoraServe.Serving.Requests;
using LoraServe.Testing;

namespace LoraServe.Serving.Tests;

/// <summary>Answers whose texts are constrained: token t of the tiny model is the letter of the alphabet at t mod 26.</summary>
public sealed class ConstraintTests
{
    private static readonly SamplingOptions s_drawn = new() { Temperature = 1.2f, Seed = 4, LogProbabilities = 2 };

    public static TheoryData<string, Constraint, string> Constraints => new()
    {
        { "choices", Constraint.Choices(["yes", "no", "never"]), "yes|no|never" },
        { "regex", Constraint.Regex("a[bc]{2,5}d|x+y"), "a[bc]{2,5}d|x+y" },
        { "grammar", Constraint.Grammar("root ::= \"a\" root \"b\" | \"c\""), "a*cb*" },
    };

    [SkippableTheory]
    [MemberData(nameof(Devices.Names), MemberType = typeof(Devices))]
    public async Task GenerateAsync_Constrained_EndsAsOneOfItsTexts(string device)
    {
        await using var harness = new EngineHarness(withText: true, device: device);
        foreach (object[] row in Constraints)
        {
            var options = new SamplingOptions { Constraint = (Constraint)row[1], Choices = 3 };
            SamplingOptions[] ways =
            [
                options,
                options with { Temperature = 0.8f, Seed = 1, TopK = 5 },
                options with { Temperature = 1, TopP = 0.5f, LogitBias = new Dictionary<int, float> { [3] = 5 } },
            ];
            foreach (SamplingOptions sampling in ways)
            {
                (_, GeneratedToken[] tokens) = await harness.RunAsync(EngineHarness.Request(2, 9, maxTokens: 200, sampling: sampling));
                foreach (IGrouping<int, GeneratedToken> choice in tokens.GroupBy(token => token.Choice))
                {
                    string text = string.Concat(choice.Select(token => token.Text));
                    FinishReason finish = choice.Last().Finish;
                    Assert.True(finish == FinishReason.Length || Regex.IsMatch(text, $"^(?:{row[2]})$"), $"{row[0]}: {text}");
                }

                Assert.Contains(tokens, token => token.Finish == FinishReason.Stop);
            }
        }
    }

    [Fact]
    public async Task GenerateAsync_LongerThanMaxTokens_IsCut()
    {
        await using var harness = new EngineHarness(withText: true);

        (_, GeneratedToken[] tokens) = await harness.RunAsync(EngineHarness.Request(2, 9, maxTokens: 5, sampling: new SamplingOptions { Constraint = Constraint.Regex("[a-f]{50}") }));

        Assert.Equal((5, FinishReason.Length), (tokens.Length, tokens[^1].Finish));
        Assert.Matches("^[a-f]{5}$", string.Concat(tokens.Select(token => token.Text)));
    }

    [Fact]
    public async Task GenerateAsync_EndToken_ComesOnlyWhereTheTextIsWhole()
    {
        await using var harness = new EngineHarness(withText: true);
        int[] ends = [.. Enumerable.Range(0, TinyModel.DefaultSpec.VocabularySize).Where(token => token % 26 is > 2 and < 23).Take(100)];

        (_, GeneratedToken[] tokens) = await harness.RunAsync(EngineHarness.Request(
            2, 9, maxTokens: 60, sampling: s_drawn with { Constraint = Constraint.Regex("(?:abc)+"), StopTokenIds = ends, LogitBias = ends.ToDictionary(token => token, _ => 50f) }));

        Assert.Equal((4, FinishReason.Stop), (tokens.Length, tokens[^1].Finish));
        Assert.Equal("abc", string.Concat(tokens[..3].Select(token => token.Text)));
        Assert.Contains(tokens[^1].TokenId, ends);
    }

    [Fact]
    public async Task GenerateAsync_LogProbabilities_AreTheModelsOwn()
    {
        await using var harness = new EngineHarness(withText: true);
        GenerationRequest free = EngineHarness.Request(2, 9, maxTokens: 1, sampling: new SamplingOptions { LogProbabilities = 3 });

        GeneratedToken open = (await harness.RunAsync(free)).Tokens[0];
        GeneratedToken bound = (await harness.RunAsync(free with { Sampling = free.Sampling with { Constraint = Constraint.Regex("[^a]") } })).Tokens[0];

        Assert.Equal(open.Top!.Select(top => (top.TokenId, top.LogProbability)), bound.Top!.Select(top => (top.TokenId, top.LogProbability)));
    }

    /// <summary>One adapter constrained, the next not, over so few pages that answers are begun anew: each gets the bits that it gets alone.</summary>
    [Fact]
    public async Task GenerateAsync_MixedBatchOverFewPages_EqualsEachAlone()
    {
        Constraint[] constraints =
        [
            Constraint.Regex("[a-m]{26,40}z"), Constraint.Choices(["yes", "no"]), Constraint.Regex("(?:[ab][c-z]){13,}!?"), Constraint.Grammar("root ::= \"a\" root \"b\" | [c-f]{30}"),
        ];
        GenerationRequest[] requests = [.. Enumerable.Range(0, 16).Select(i => EngineHarness.Request(
            i % 7, 3 + (i * 5 % 60), i % 2 == 0 ? "one" : "two", maxTokens: 40, s_drawn with { Seed = (ulong)i, Choices = 1 + (i % 2), Constraint = i % 3 == 0 ? null : constraints[i % 4] }))];
        List<(int, int, float)[]> alone = [];
        await using (EngineHarness quiet = await StartAsync(options => options.PrefixCache = false))
        {
            foreach (GenerationRequest request in requests)
            {
                alone.Add(Answer((await quiet.RunAsync(request)).Tokens));
            }
        }

        using Transformer model = TinyModel.Create(1);
        long pageBytes = model.PageBytes(Compute.Tensors.ElementType.F32);
        await using EngineHarness busy = await StartAsync(options => (options.KvCacheBytes, options.MaxBatchRows, options.Workers) = (12 * pageBytes, 48, 3));
        long preemptions = 0;
        busy.Engine.Loop.Stepped = scheduler => preemptions = scheduler.Preemptions;

        (Generation, GeneratedToken[] Tokens)[] together = await Task.WhenAll(requests.Select(request => busy.RunAsync(request)));

        Assert.Equal(alone, together.Select(answer => Answer(answer.Tokens)));
        Assert.True(preemptions > 0);
    }

    [Theory]
    [InlineData("json_schema", "JSON schema, /not: this keyword is not supported")]
    [InlineData("regex", "regular expression, character 2: '(?=' looks ahead")]
    [InlineData("grammar", "grammar, line 1: 'x' is used, and not defined")]
    [InlineData("choices", "list of choices: it is empty")]
    public async Task GenerateAsync_BadConstraint_IsRefusedNamingFieldAndPlace(string field, string expected)
    {
        await using var harness = new EngineHarness(withText: true);
        Constraint constraint = field switch
        {
            "json_schema" => Constraint.JsonSchema("""{"not":{}}"""),
            "regex" => Constraint.Regex("a(?=b)"),
            "grammar" => Constraint.Grammar("root ::= x"),
            _ => Constraint.Choices([]),
        };

        GenerationRequest request = EngineHarness.Request(1, 3, sampling: new SamplingOptions { Constraint = constraint });
        EngineException refusal = await Assert.ThrowsAsync<EngineException>(() => harness.Engine.GenerateAsync(request));

        Assert.Equal(EngineError.InvalidSampling, refusal.Error);
        Assert.StartsWith($"{field}: {expected}", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task GenerateAsync_NoTokenCanComeNext_FailsThatRequestAlone()
    {
        await using var harness = new EngineHarness(withText: true);
        Task<(Generation, GeneratedToken[] Tokens)> other = harness.RunAsync(EngineHarness.Request(3, 5));

        GenerationRequest endless = EngineHarness.Request(1, 3, sampling: new SamplingOptions { Constraint = Constraint.Regex("abc1") });
        EngineException failure = await Assert.ThrowsAsync<EngineException>(() => harness.RunAsync(endless));

        Assert.Equal(EngineError.InvalidSampling, failure.Error);
        Assert.Contains("No token of the model's can come next", failure.Message, StringComparison.Ordinal);
        Assert.Equal(12, (await other).Tokens.Length);
    }

    [Fact]
    public async Task GenerateAsync_NoTokenizer_IsRefused()
    {
        await using var harness = new EngineHarness();

        GenerationRequest request = EngineHarness.Request(1, 3, sampling: new SamplingOptions { Constraint = Constraint.JsonObject });
        EngineException refusal = await Assert.ThrowsAsync<EngineException>(() => harness.Engine.GenerateAsync(request));

        Assert.Equal(EngineError.Unsupported, refusal.Error);
    }

    /// <summary>Once its states are known, a constraint costs no managed memory either.</summary>
    [Fact]
    public async Task Loop_DecodingConstrainedTextThatWasSeenBefore_AllocatesNothing()
    {
        const int Tokens = 200;
        await using var harness = new EngineHarness(options => (options.Workers, options.KvCacheBytes) = (1, 8 << 20), withText: true);
        var sampling = new SamplingOptions { Temperature = 0.8f, Seed = 1, Constraint = Constraint.Regex("(?:[a-f][g-m]|[n-z]{3})*!") };
        await harness.RunAsync(EngineHarness.Request(1, 8, maxTokens: Tokens, sampling: sampling));
        List<long> steady = new(Tokens);
        long last = -1;
        harness.Engine.Loop.Stepped = scheduler =>
        {
            long now = GC.GetAllocatedBytesForCurrentThread();
            bool isSteady = scheduler.Running.Count == 1 && scheduler.Running[0].TokenCount > scheduler.Running[0].PromptLength;
            if (isSteady && last >= 0)
            {
                steady.Add(now - last);
            }

            last = isSteady ? GC.GetAllocatedBytesForCurrentThread() : -1;
        };

        await harness.RunAsync(EngineHarness.Request(1, 8, maxTokens: Tokens, sampling: sampling));

        Assert.True(steady.Count > Tokens - 10, $"{steady.Count} steps");
        Assert.True(steady.TrueForAll(bytes => bytes == 0), string.Join(' ', steady));
    }

    private static async Task<EngineHarness> StartAsync(Action<EngineOptions> configure)
    {
        var harness = new EngineHarness(configure, withText: true);
        await harness.Engine.Adapters.PublishAsync(Principal.Operator, "one", harness.Adapter("one", 11, rank: 2));
        await harness.Engine.Adapters.PublishAsync(Principal.Operator, "two", harness.Adapter("two", 12, rank: 9));
        return harness;
    }

    private static (int, int, float)[] Answer(GeneratedToken[] tokens) => [.. tokens.Select(token => (token.Choice, token.TokenId, token.LogProbability))];
}
