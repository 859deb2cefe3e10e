using LoraServe.Serving.Requests;
using LoraServe.Serving.Store;
using LoraServe.Testing;
using Xunit.Abstractions;

namespace LoraServe.Serving.Tests.Store;

/// <summary>What users of other servers report, as tests: wrong versions after reloads, stale caches, cliffs, memory that does not come back.</summary>
public class AdaptersUnderLoadTests(ITestOutputHelper output)
{
    [SkippableTheory]
    [MemberData(nameof(Devices.Names), MemberType = typeof(Devices))]
    public async Task ReloadStorm_SameNamesDifferentContents_NoAnswerFromAnotherVersion(string device)
    {
        const int Contents = 6;
        await using var harness = new EngineHarness(device: device);
        AdapterStore store = harness.Engine.Adapters;
        string[] folders = [.. Enumerable.Range(0, Contents).Select(i => harness.Adapter($"content{i}", 100 + i))];
        GenerationRequest[] prompts = [.. Enumerable.Range(0, 4).Select(i => EngineHarness.Request(i, 35, maxTokens: 8))];
        var expected = new Dictionary<(string Digest, int Prompt), int[]>();
        foreach (int i in Enumerable.Range(0, Contents))
        {
            PublishResult published = await store.PublishAsync(Principal.Operator, "known", folders[i]);
            foreach (int prompt in Enumerable.Range(0, prompts.Length))
            {
                expected[(published.Adapter.Digest, prompt)] = await harness.IdsAsync(prompts[prompt] with { Adapters = [new("known")] });
            }
        }

        int[][] ofBase = await Task.WhenAll(prompts.Select(harness.IdsAsync));
        await store.PublishAsync(Principal.Operator, "x", folders[0]);
        await store.PublishAsync(Principal.Operator, "y", folders[1]);
        bool isStorming = true;
        Task storm = Task.Run(async () =>
        {
            var random = new Random(1);
            for (int i = 0; i < 40; i++)
            {
                string name = random.Next(2) == 0 ? "x" : "y";
                PublishResult published = await store.PublishAsync(Principal.Operator, name, folders[random.Next(Contents)]);
                if (random.Next(4) == 0)
                {
                    store.Unload(Principal.Operator, $"{name}@{published.Adapter.Version}");
                    await store.PublishAsync(Principal.Operator, name, folders[random.Next(Contents)]);
                }

                await harness.RunAsync(prompts[0]); // so that others have their answers in between
            }

            isStorming = false;
        });
        int answers = 0;
        int versions = 0;
        Task[] clients = [.. Enumerable.Range(0, 6).Select(client => Task.Run(async () =>
        {
            var random = new Random(client);
            while (isStorming)
            {
                int prompt = random.Next(prompts.Length);
                string[] names = ["", "x", "y"];
                string name = names[random.Next(3)];
                (Generation generation, GeneratedToken[] tokens) = await harness.RunAsync(prompts[prompt] with { Adapters = AdapterReference.ParseStack(name) });
                int[] right = name.Length == 0 ? ofBase[prompt] : expected[(generation.Adapters[0].Digest, prompt)];
                Assert.Equal(right, tokens.Select(token => token.TokenId));
                Interlocked.Increment(ref answers);
                versions = name.Length == 0 ? versions : Math.Max(versions, generation.Adapters[0].Version);
            }
        }))];
        await storm;
        await Task.WhenAll(clients);
        output.WriteLine($"{answers} answers while versions went up to {versions}");
        Assert.True(answers > 20);
    }

    [SkippableTheory]
    [MemberData(nameof(Devices.Names), MemberType = typeof(Devices))]
    public async Task WorkingSet_FourTimesTheBudget_EveryRequestIsAnsweredAsWithRoomForAll(string device)
    {
        const int Adapters = 16;
        await using var harness = new EngineHarness(options => options.MaxAdapterWait = TimeSpan.FromMilliseconds(20), device: device);
        harness.BeforeStep = _ => harness.Time.Advance(TimeSpan.FromMilliseconds(1));
        AdapterStore store = harness.Engine.Adapters;
        foreach (int i in Enumerable.Range(0, Adapters))
        {
            await store.PublishAsync(Principal.Operator, $"a{i}", harness.Adapter($"a{i}", i));
        }

        int[][] expected = await AnswersAsync();
        store.BudgetBytes = store.ResidentBytes / 4;
        Assert.Equal(expected, await AnswersAsync());
        Assert.True(store.ResidentBytes <= store.BudgetBytes);
        Assert.True(store.List(Principal.Operator).Sum(adapter => adapter.Misses) > Adapters / 2);

        Task<int[][]> AnswersAsync() =>
            Task.WhenAll(Enumerable.Range(0, 64).Select(i => harness.IdsAsync(EngineHarness.Request(i, 20, $"a{i * 7 % Adapters}", maxTokens: 10))));
    }

    [SkippableTheory]
    [MemberData(nameof(Devices.Names), MemberType = typeof(Devices))]
    public async Task Lifecycle_RandomPublishUnloadCancelPinBudget_LeaksNothing(string device)
    {
        await using var harness = new EngineHarness(options => options.MaxAdapterWait = TimeSpan.FromMilliseconds(10), device: device);
        harness.BeforeStep = _ => harness.Time.Advance(TimeSpan.FromMilliseconds(1));
        AdapterStore store = harness.Engine.Adapters;
        string[] folders = [.. Enumerable.Range(0, 6).Select(i => harness.Adapter($"f{i}", i, rank: 1 + (i * 3)))];
        await harness.IdsAsync(EngineHarness.Request(1, 60));
        (long before, long onDevice) = (EngineHarness.AllocatedBytes(), harness.DeviceAllocations());
        Task[] workers = [.. Enumerable.Range(0, 6).Select(worker => Task.Run(() => WorkAsync(new Random(worker))))];
        await Task.WhenAll(workers);
        store.BudgetBytes = 1 << 30;
        foreach (string name in store.List(Principal.Operator).Select(record => record.Name).Distinct())
        {
            store.Unload(Principal.Operator, name);
        }

        await harness.UntilAsync(() => harness.Engine.Status is { UsedPages: 0, RunningSequences: 0, QueuedRequests: 0 });
        await harness.UntilAsync(() => EngineHarness.AllocatedBytes() == before && harness.DeviceAllocations() == onDevice && store.ResidentBytes == 0 && store.HostBytes == 0);

        async Task WorkAsync(Random random)
        {
            for (int i = 0; i < 30; i++)
            {
                string name = $"n{random.Next(4)}";
                try
                {
                    switch (random.Next(8))
                    {
                        case 0:
                            await store.PublishAsync(Principal.Operator, name, folders[random.Next(folders.Length)]);
                            break;
                        case 1:
                            store.Unload(Principal.Operator, name);
                            break;
                        case 2:
                            store.Pin(Principal.Operator, name, random.Next(2) == 0);
                            break;
                        case 3:
                            store.BudgetBytes = random.Next(10_000, 300_000);
                            break;
                        default:
                            int read = random.Next(3) == 0 ? random.Next(5) : int.MaxValue;
                            await foreach (GeneratedToken _ in await harness.Engine.GenerateAsync(EngineHarness.Request(random.Next(5), 30, random.Next(4) == 0 ? "" : name, maxTokens: 10)))
                            {
                                if (read-- == 0)
                                {
                                    break; // which cancels it
                                }
                            }

                            break;
                    }
                }
                catch (EngineException)
                {
                    // Unknown, or too large for the moment: these are answers.
                }
            }
        }
    }
}
