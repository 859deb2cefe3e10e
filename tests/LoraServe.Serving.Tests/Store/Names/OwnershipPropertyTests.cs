using FsCheck;
using FsCheck.Fluent;
using LoraServe.Serving.Requests;
using LoraServe.Serving.Store;
using LoraServe.Serving.Store.Versions;

namespace LoraServe.Serving.Tests.Store.Names;

/// <summary>Random acts of several tenants, one after another and two at once, against a model that says the rules plainly.</summary>
public sealed class OwnershipPropertyTests : IDisposable
{
    private const int Steps = 30;

    private static readonly Principal[] s_who = [new("alice", IsAdmin: false), new("bob", IsAdmin: false), new("ops", IsAdmin: true), Principal.Operator];
    private static readonly string[] s_names = ["a", "b", "c", OwnershipModel.BelowRoot];

    private readonly string _sent = TinyAdapters.Write(Directory.CreateTempSubdirectory("loraserve-").FullName, 2);

    public void Dispose() => Directory.Delete(_sent, recursive: true);

    [Fact]
    public void Store_AnyActsOfAnyTenants_DecidesAsTheModel() =>
        Prop.ForAll(ArbMap.Default.ArbFor<int>(), seed => RunAsync(new Random(seed)).GetAwaiter().GetResult()).Check(Config.QuickThrowOnFailure.WithMaxTest(8));

    private async Task RunAsync(Random random)
    {
        await using var harness = new EngineHarness(options => options.MaxVersions = 1000);
        harness.Adapter(OwnershipModel.BelowRoot, 1);
        byte[][] files = [.. Directory.GetFiles(_sent).Order(StringComparer.Ordinal).Select(File.ReadAllBytes)];
        AdapterStore store = harness.Engine.Adapters;
        var model = new OwnershipModel();
        List<(Act Act, AdapterUpload Upload)> open = [];
        for (int step = 0; step < Steps; step++)
        {
            switch (random.Next(4))
            {
                case 0:
                    await BeginAsync(Next(random));
                    break;
                case 1:
                    await TogetherAsync([Any(random)]);
                    break;
                default:
                    await TogetherAsync([Any(random), Any(random)]);
                    break;
            }

            Assert.Equal(model.State(), State(store));
        }

        foreach ((_, AdapterUpload upload) in open)
        {
            await upload.DisposeAsync();
        }

        async Task BeginAsync(Act act)
        {
            EngineError? refusal = model.CanPublish(act.Who, act.Name, act.Aliases);
            AdapterUpload? upload = null;
            Assert.Equal(refusal, Refusal(Record.Exception(() => upload = store.BeginUpload(act.Who, act.Name, new PublishOptions { Aliases = act.Aliases }))));
            if (upload is not null)
            {
                await upload.WriteAsync("adapter_config.json", files[0]);
                await upload.WriteAsync("adapter_model.safetensors", files[1]);
                open.Add((act, upload));
            }
        }

        // An upload that began before is completed, or something else is done.
        (Func<OwnershipModel, EngineError?> Rule, Func<Task> Do) Any(Random random)
        {
            Act act = Next(random);
            if (open.Count > 0 && random.Next(2) == 0)
            {
                (Act begun, AdapterUpload upload) = open[^1];
                open.RemoveAt(open.Count - 1);
                return (rules => rules.Publish(begun.Who, begun.Name, begun.Aliases), () => CompleteAsync(upload));
            }

            return random.Next(4) switch
            {
                0 => (rules => rules.Publish(act.Who, act.Name, act.Aliases), () => store.PublishAsync(act.Who, act.Name, _sent, new PublishOptions { Aliases = act.Aliases })),
                1 => (rules => rules.SetAlias(act.Who, act.Name, act.Target), () => Task.FromResult(store.SetAlias(act.Who, act.Name, act.Target))),
                2 => (rules => rules.Unload(act.Who, act.Reference), () => Task.FromResult(store.Unload(act.Who, act.Reference, deleteFiles: random.Next(2) == 0))),
                _ => (rules => rules.Use(act.Who, act.Reference), () => UseAsync(store, act.Who, act.Reference)),
            };
        }

        // What comes of acts at once is what comes of them in one order or the other.
        async Task TogetherAsync((Func<OwnershipModel, EngineError?> Rule, Func<Task> Do)[] acts)
        {
            EngineError?[] refusals = [.. (await Task.WhenAll(acts.Select(act => Task.Run(() => Record.ExceptionAsync(act.Do))))).Select(Refusal)];
            string[] state = State(store);
            foreach (int[] order in acts.Length == 1 ? [[0]] : new int[][] { [0, 1], [1, 0] })
            {
                OwnershipModel after = model.Copy();
                var expected = new EngineError?[acts.Length];
                foreach (int act in order)
                {
                    expected[act] = acts[act].Rule(after);
                }

                if (expected.SequenceEqual(refusals) && after.State().SequenceEqual(state))
                {
                    model = after;
                    return;
                }
            }

            Assert.Fail($"No order of these acts gives {string.Join(" and ", refusals.Select(refusal => refusal?.ToString() ?? "done"))} with {string.Join(", ", state)} from {string.Join(", ", model.State())}.");
        }
    }

    private static async Task UseAsync(AdapterStore store, Principal who, string reference) =>
        store.Memory.RemoveUser(await store.ReserveAsync(new GenerationRequest { Principal = who, Adapters = [new AdapterReference(reference)] }, default));

    private static async Task CompleteAsync(AdapterUpload upload)
    {
        await using (upload)
        {
            await upload.CompleteAsync();
        }
    }

    private static Act Next(Random random)
    {
        string Name() => s_names[random.Next(s_names.Length)];
        string Reference() => random.Next(3) == 0 ? $"{Name()}@{random.Next(1, 4)}" : Name();
        return new Act(s_who[random.Next(s_who.Length)], Name(), [.. Enumerable.Range(0, random.Next(3)).Select(_ => Name())], random.Next(5) == 0 ? "" : Reference(), Reference());
    }

    private static EngineError? Refusal(Exception? exception) => exception is null ? null : Assert.IsType<EngineException>(exception).Error;

    private static string[] State(AdapterStore store) =>
    [
        .. store.List(Principal.Operator).Select(adapter => $"{adapter.Name}@{adapter.Version} of {adapter.Owner}").Order(StringComparer.Ordinal),
        .. store.Aliases.Select(alias => $"{alias.Key} → {alias.Value}").Order(StringComparer.Ordinal),
    ];

    private sealed record Act(Principal Who, string Name, string[] Aliases, string Target, string Reference);
}
