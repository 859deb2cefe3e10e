using LoraServe.Adapters;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Folding;
using LoraServe.Models;
using LoraServe.Models.Forward;
using LoraServe.Testing;
using LoraServe.Torch.Forward;
using LoraServe.Torch.Native;
using LoraServe.Torch.Resident;
using TorchSharp;
using static TorchSharp.torch;

namespace LoraServe.Torch.Tests.Forward;

/// <summary>Many adapters' pairs at once give what each gives alone, whichever way they are multiplied.</summary>
public sealed class PairProductsTests
{
    public static TheoryData<string, string> Ways => new()
    {
        { "grouped", "Float32" }, { "grouped", "BFloat16" }, { "masked", "Float32" }, { "masked", "BFloat16" },
    };

    [SkippableTheory]
    [MemberData(nameof(Ways))]
    public void Add_RowsOfSomeSlots_GivesEachRowItsOwnPair(string way, string typeName)
    {
        using Transformer model = TinyModel.Create(3, device: OpenTorch.With());
        ScalarType type = Enum.Parse<ScalarType>(typeName);
        using DisposeScope scope = torch.NewDisposeScope();
        (BaseModule module, int[] ranks) = (model.Modules.First(one => one.Site.Role == SiteRole.Query), [3, 8, 1, 5]);
        var random = new Random(5);
        SiteEdits[] edits = [.. ranks.Select(rank => SiteEdits.Of([new LowRank(module.Site, Random(rank, module.Inputs), Random(module.Outputs, rank), 0.5f)], model)[0])];
        using var arena = new AdapterArena(ArenaShape.Of([edits[0]])!, 6, type, torch.CPU, new Nothing());
        int[] slots = [.. edits.Select(_ => arena.Take())];
        foreach ((SiteEdits edit, int slot) in edits.Zip(slots))
        {
            arena.Write(slot, edit);
        }

        // Slot 2 has no row, nor has the last; slot 3's come first in the batch.
        long[] rowsBySlot = [4, 5, 2, 0, 1];
        long[] slotOfEach = [0, 0, 1, 3, 3];
        float[] weights = [1, 1, -2, 0.5f, 0.5f];
        IPairProducts products = way == "grouped" ? new GroupedProducts() : new MaskedProducts();
        var rows = new SlotRows(arena, torch.tensor(rowsBySlot), 0, torch.tensor(slotOfEach), torch.tensor(new[] { 2, 3, 3, 5, 5, 5 }), torch.tensor(weights, 5, 1, dtype: type), products);
        Tensor x = torch.tensor(Random(6, module.Inputs).Values, 6, module.Inputs, dtype: type);
        Tensor y = torch.tensor(Random(6, module.Outputs).Values, 6, module.Outputs, dtype: type);
        Tensor expected = y.to(ScalarType.Float32);
        for (int i = 0; i < rowsBySlot.Length; i++)
        {
            SiteEdits edit = edits[slotOfEach[i]];
            Tensor a = torch.tensor(edit.A!.Values, edit.A.Rows, edit.A.Columns);
            Tensor b = torch.tensor(edit.B!.Values, edit.B.Rows, edit.B.Columns);
            expected[rowsBySlot[i]] = expected[rowsBySlot[i]].Plus(b.mv(a.mv(x[rowsBySlot[i]].to(ScalarType.Float32))), weights[i] * edit.Scale);
        }

        rows.Add(y, rows.Select(x), arena.At(module.Site)!);
        float tolerance = type == ScalarType.Float32 ? 1e-4f : 0.15f;
        Assert.InRange(y.to(ScalarType.Float32).sub(expected).abs().max().cpu().data<float>()[0], 0, tolerance);

        FloatMatrix Random(int count, int width) => new(count, width, [.. Enumerable.Range(0, count * width).Select(_ => (float)random.NextDouble() - 0.5f)]);
    }

    [SkippableFact]
    public void Forward_ManyAdaptersAtOnce_GivesWhatEachGivesAlone()
    {
        using Transformer model = TinyModel.Create(3, device: OpenTorch.With());
        ResidentAdapter[] adapters = [.. Enumerable.Range(0, 20).Select(seed => Served(model, seed, rank: 1 + (seed % 3)))];
        using var harness = new ForwardHarness(model);
        AdapterUse[][] uses = [.. adapters.Select((adapter, i) => new AdapterUse[] { new(adapter, 1 - (0.05f * i)), new(adapters[(i + 3) % 20], 0.5f) })];
        float[][][] alone = [.. uses.Select((use, i) => harness.Logits(TinyModel.Tokens(i, 5, model.VocabularySize), use))];

        TestSequence[] sequences = [.. uses.Select((use, i) => new TestSequence(TinyModel.Tokens(i, 5, model.VocabularySize), use))];
        harness.Batch.Clear();
        Array.ForEach(sequences, sequence => harness.Add(sequence, 5, SegmentOutput.AllLogits));
        harness.Step();

        Assert.All(sequences.Zip(alone), pair => Assert.InRange(OpenTorch.Difference(pair.First.TextLogits, pair.Second), 0, 1e-4f));
        Array.ForEach(adapters, adapter => adapter.Dispose());
    }

    [SkippableFact]
    public void Place_ManyOfOneShape_LieInFewArenas_AndWhatIsFreedIsUsedAgain()
    {
        using Transformer model = TinyModel.Create(3, device: OpenTorch.With());
        GC.Collect();
        GC.WaitForPendingFinalizers();
        long before = Tensor.TotalCount;
        List<TorchAdapter> adapters = [.. Enumerable.Range(0, 20).Select(seed => (TorchAdapter)Served(model, seed, rank: 4))];
        AdapterArena[] arenas = [.. adapters.Select(adapter => adapter.Slot!.Arena).Distinct()];
        Assert.Equal([4, 4, 8, 16], arenas.Select(arena => arena.SlotCount));
        Assert.Equal(20, adapters.Select(adapter => (adapter.Slot!.Arena, adapter.Slot.Index)).Distinct().Count());

        (AdapterArena arena, int index) = (adapters[5].Slot!.Arena, adapters[5].Slot!.Index);
        adapters[5].Dispose();
        adapters[5] = (TorchAdapter)Served(model, 30, rank: 4);
        Assert.Equal((arena, index), (adapters[5].Slot!.Arena, adapters[5].Slot!.Index));

        adapters.ForEach(adapter => adapter.Dispose());
        Assert.Equal(before, Tensor.TotalCount);
    }

    private static ResidentAdapter Served(Transformer model, int seed, int rank) =>
        model.Place(TinyModel.CreateAdapter(model, seed, rank).Edits, $"digest {seed}");

    private sealed class Nothing : IDisposable
    {
        public void Dispose()
        {
        }
    }
}
