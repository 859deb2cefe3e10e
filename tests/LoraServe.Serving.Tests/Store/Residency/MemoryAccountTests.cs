using LoraServe.Serving.Requests;
using LoraServe.Serving.Store;
using LoraServe.Serving.Store.Versions;

namespace LoraServe.Serving.Tests.Store.Residency;

/// <summary>What adapters share is in memory once and in the budget once.</summary>
public sealed class MemoryAccountTests
{
    [Fact]
    public async Task ResidentBytes_AdaptersThatShareProjections_CountsTheseOnce()
    {
        await using var harness = new EngineHarness();
        AdapterStore store = harness.Engine.Adapters;
        await PublishAsync(harness, "one", 1, projection: 5);
        long own = store.Get(Principal.Operator, "one").ResidentBytes;
        long shared = store.ResidentBytes - own;
        Assert.True(shared > own);
        await PublishAsync(harness, "two", 2, projection: 5);
        Assert.Equal((2 * own) + shared, store.ResidentBytes);
        await PublishAsync(harness, "other", 3, projection: 6);
        Assert.Equal((3 * own) + (2 * shared), store.ResidentBytes);
        Assert.Equal(3, (await Task.WhenAll(new[] { "one", "two", "other" }.Select(name => harness.IdsAsync(EngineHarness.Request(1, 20, name))))).DistinctBy(ids => string.Join(' ', ids)).Count());
        store.Unload(Principal.Operator, "one");
        Assert.Equal((2 * own) + (2 * shared), store.ResidentBytes);
        store.Unload(Principal.Operator, "two");
        Assert.Equal(own + shared, store.ResidentBytes);
        store.Unload(Principal.Operator, "other");
        Assert.Equal(0, store.ResidentBytes);
    }

    [Fact]
    public async Task BudgetBytes_RoomForOneSetOfProjections_EvictsWhoBringsTheOther()
    {
        await using var harness = new EngineHarness();
        AdapterStore store = harness.Engine.Adapters;
        await PublishAsync(harness, "one", 1, projection: 5);
        long own = store.Get(Principal.Operator, "one").ResidentBytes;
        long shared = store.ResidentBytes - own;
        await PublishAsync(harness, "two", 2, projection: 5);
        store.BudgetBytes = (2 * own) + shared;
        Assert.Equal(AdapterTier.Resident, store.Get(Principal.Operator, "one").Tier);
        await PublishAsync(harness, "other", 3, projection: 6);
        int[] ids = await harness.IdsAsync(EngineHarness.Request(1, 20, "other"));
        Assert.Equal(own + shared, store.ResidentBytes);
        Assert.Equal(ids, await harness.IdsAsync(EngineHarness.Request(1, 20, "other")));
        await harness.IdsAsync(EngineHarness.Request(1, 20, "one+two"));
        Assert.Equal((2 * own) + shared, store.ResidentBytes);
        store.BudgetBytes = shared;
        EngineException refusal = await Assert.ThrowsAsync<EngineException>(() => harness.IdsAsync(EngineHarness.Request(1, 20, "other")));
        Assert.Equal(EngineError.AdapterTooLarge, refusal.Error);
    }

    private static Task<PublishResult> PublishAsync(EngineHarness harness, string name, int seed, int projection) =>
        harness.Engine.Adapters.PublishAsync(Principal.Operator, name, TinyAdapters.WriteShared(Path.Combine(harness.Options.AdapterRoot!, name), seed, projection));
}
