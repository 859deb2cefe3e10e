using LoraServe.Serving.Requests;

namespace LoraServe.Serving.Tests;

/// <summary>What one tenant does to another: nothing.</summary>
public sealed class TenantsTests
{
    [Fact]
    public async Task GenerateAsync_OneTenantKeepsTheQueueFull_TheOtherIsTakenEachTime()
    {
        await using var harness = new EngineHarness(options => (options.MaxQueuedRequests, options.MaxRunningSequences) = (8, 1));
        List<Task<int[]>> answers = [];
        for (int i = 0; i < 10; i++)
        {
            int refused = await FillAsync(harness, answers);
            Assert.True(refused > 0);
            Assert.Equal(3, (await harness.IdsAsync(EngineHarness.Request(100 + i, 20, maxTokens: 3) with { Principal = new Principal("modest", IsAdmin: false) })).Length);
        }

        await Task.WhenAll(answers);
    }

    [Theory]
    [InlineData("", false)]
    [InlineData("style", false)]
    [InlineData("", true)]
    [InlineData("style", true)]
    public async Task GenerateAsync_PromptThatAnotherTenantSent_IsFoundOnlyWhereTheCacheIsShared(string adapter, bool shared)
    {
        await using var harness = new EngineHarness(options => options.SharePrefixCache = shared);
        await harness.Engine.Adapters.PublishAsync(Principal.Operator, "style", harness.Adapter("style", seed: 3));
        GenerationRequest request = EngineHarness.Request(1, promptLength: 50, adapter);

        (Generation first, GeneratedToken[] tokens) = await harness.RunAsync(request with { Principal = new Principal("a", IsAdmin: false) });
        (Generation other, GeneratedToken[] others) = await harness.RunAsync(request with { Principal = new Principal("b", IsAdmin: false) });
        (Generation again, GeneratedToken[] agains) = await harness.RunAsync(request with { Principal = new Principal("a", IsAdmin: false) });

        Assert.Equal((0, shared ? 48 : 0, 48), (first.Usage.CachedPromptTokens, other.Usage.CachedPromptTokens, again.Usage.CachedPromptTokens));
        Assert.Equal(tokens.Select(token => token.TokenId), others.Select(token => token.TokenId));
        Assert.Equal(tokens.Select(token => token.TokenId), agains.Select(token => token.TokenId));
    }

    /// <summary>Sends a greedy tenant's requests until some are refused.</summary>
    private static async Task<int> FillAsync(EngineHarness harness, List<Task<int[]>> answers)
    {
        int refused = 0;
        while (refused == 0)
        {
            try
            {
                Generation accepted = await harness.Engine.GenerateAsync(EngineHarness.Request(answers.Count, 50, maxTokens: 30) with { Principal = new Principal("greedy", IsAdmin: false) });
                answers.Add(IdsAsync(accepted));
            }
            catch (EngineException full) when (full.Error == EngineError.QueueFull)
            {
                Assert.Contains("kept for others", full.Message, StringComparison.Ordinal);
                refused++;
            }
        }

        return refused;
    }

    private static async Task<int[]> IdsAsync(Generation generation)
    {
        List<int> ids = [];
        await foreach (GeneratedToken token in generation)
        {
            ids.Add(token.TokenId);
        }

        return [.. ids];
    }
}
