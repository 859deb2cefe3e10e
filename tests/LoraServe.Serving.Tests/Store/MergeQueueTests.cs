using LoraServe.Adapters.Merging;
using LoraServe.Serving.Options;
using LoraServe.Serving.Requests;
using LoraServe.Serving.Store;
using LoraServe.Serving.Store.Versions;

namespace LoraServe.Serving.Tests.Store;

public sealed class MergeQueueTests
{
    private const int Width = 64;

    [Fact]
    public void CheckCount_MoreThanMayBe_IsRefused()
    {
        using var queue = new MergeQueue(new EngineOptions { MaxMergedAdapters = 3 }, Width, TimeProvider.System);

        queue.CheckCount(3);
        Refused("4 adapters are to be combined; at most 3 can be", () => queue.CheckCount(4));
    }

    [Fact]
    public void Bound_RankOrBytesBeyondWhatMayBe_IsRefusedBeforeAnythingIsRead()
    {
        using var queue = new MergeQueue(new EngineOptions { MergeBytes = 2500 }, Width, TimeProvider.System);
        var concatenation = new CombinationOptions { Method = CombinationMethod.Concatenation };

        Assert.Equal((Width, 500L), queue.Bound([Input("a", 32), Input("b", 32), Input("a", 0)], concatenation) is var bounded ? (bounded.MaximumRank, bounded.MaximumBytes) : default);
        Refused("rank 65; expected at most 64", () => queue.Bound([Input("a", 32), Input("b", 33)], concatenation));
        Refused("The rank is 65", () => queue.Bound([Input("a", 32)], new CombinationOptions { Method = CombinationMethod.Svd, Rank = 65 }));
        Refused("take 3000 bytes of memory; merging may take 2500", () => queue.Bound([Input("a", 1), Input("b", 1), Input("c", 1)], new CombinationOptions()));
        Refused("No adapters were given", () => queue.Bound([], new CombinationOptions()));
    }

    [Fact]
    public async Task RunAsync_WhileAnotherRuns_WaitsAndLeavesWhenItIsCancelled()
    {
        using var queue = new MergeQueue(new EngineOptions(), Width, TimeProvider.System);
        using var goOn = new ManualResetEventSlim();
        using var impatient = new CancellationTokenSource();
        List<string> done = [];
        Task first = queue.RunAsync("a", () => Note("first", goOn.Wait), default);
        Task cancelled = queue.RunAsync("a", () => Note("cancelled"), impatient.Token);
        Task second = queue.RunAsync("b", () => Note("second"), default);

        await impatient.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
        goOn.Set();
        await Task.WhenAll(first, second);

        Assert.Equal(["first", "second"], done);

        void Note(string name, Action? before = null)
        {
            before?.Invoke();
            done.Add(name);
        }
    }

    [Fact]
    public async Task RunAsync_OneTenantAsksForMany_TheOtherIsTaken()
    {
        using var queue = new MergeQueue(new EngineOptions(), Width, TimeProvider.System);
        using var goOn = new ManualResetEventSlim();
        List<Task> greedy = [queue.RunAsync("greedy", goOn.Wait, default)];
        Task? refused = null;
        while (refused is null)
        {
            Task merge = queue.RunAsync("greedy", () => { }, default);
            (refused, greedy) = merge.IsFaulted ? (merge, greedy) : (null, [.. greedy, merge]);
        }

        Task modest = queue.RunAsync("modest", () => { }, default);
        goOn.Set();

        Assert.Equal(EngineError.QueueFull, (await Assert.ThrowsAsync<EngineException>(() => refused)).Error);
        await Task.WhenAll([modest, .. greedy]);
    }

    private static void Refused(string words, Action call)
    {
        EngineException refusal = Assert.Throws<EngineException>(call);
        Assert.Equal(EngineError.InvalidRequest, refusal.Error);
        Assert.Contains(words, refusal.Message, StringComparison.Ordinal);
    }

    private static AdapterManifest Input(string digest, int rank) => new()
    {
        Name = digest,
        Version = 1,
        Digest = digest,
        Owner = "",
        Source = AdapterSource.Directory,
        Method = "LoRA",
        MinimumRank = rank,
        MaximumRank = rank,
        FileBytes = 1000,
        HostBytes = 1000,
        ResidentBytes = 1000,
        InvocationTokens = [],
        PublishedAt = default,
    };
}
