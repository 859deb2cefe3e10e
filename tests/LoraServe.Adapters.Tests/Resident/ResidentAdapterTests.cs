using System.Text.Json.Nodes;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Resident;
using LoraServe.Adapters.Tests.Reference;
using LoraServe.Compute.Memory;

namespace LoraServe.Adapters.Tests.Resident;

[CollectionDefinition(nameof(NativeMemory), DisableParallelization = true)]
public sealed class NativeMemory;

/// <summary>Runs alone, since it compares the process's native memory.</summary>
[Collection(nameof(NativeMemory))]
public sealed class ResidentAdapterTests
{
    [Fact]
    public void Create_ThenDispose_HoldsWhatItSaysAndGivesItBack()
    {
        FileBaseModel model = AdapterBuilder.TinyBase;
        Adapter adapter = Pairs(model).Load();
        GC.Collect();
        GC.WaitForPendingFinalizers();
        long before = NativeBuffer.AllocatedBytes;
        ResidentAdapter resident = ResidentAdapter.Create(adapter, model);
        Assert.Equal(resident.ByteLength, NativeBuffer.AllocatedBytes - before);
        Assert.True(resident.ByteLength >= adapter.ByteLength);
        resident.Dispose();
        Assert.Equal(before, NativeBuffer.AllocatedBytes);
    }

    [Fact]
    public void At_SitesWithAndWithoutEdits_GivesEditOrNull()
    {
        FileBaseModel model = AdapterBuilder.TinyBase;
        using ResidentAdapter resident = ResidentAdapter.Create(Pairs(model).Load(), model);
        Assert.Equal(2, resident.At(new Site(0, SiteRole.Query))!.Rank);
        Assert.Null(resident.At(new Site(0, SiteRole.Down)));
        Assert.Null(resident.At(Site.Head));
        Assert.Null(resident.At(NormSite.Final));
        Assert.Null(resident.Embedding);
        Assert.Equal(2, resident.MaximumRank);
        Assert.True(resident.InvocationTokens.IsEmpty);
    }

    [Fact]
    public void Apply_ReplacedTokens_GivesTheirRowsAndLeavesOthers()
    {
        FileBaseModel model = AdapterBuilder.TinyBase;
        AdapterBuilder builder = Pairs(model);
        builder.Config["trainable_token_indices"] = new JsonArray(9, 1);
        float[] rows = builder.AddRandom("model.embed_tokens.token_adapter.trainable_tokens_delta", 2, model.Width);
        using ResidentAdapter resident = ResidentAdapter.Create(builder.Load(), model);
        float[] row = new float[model.Width];
        foreach ((int token, int place) in (ReadOnlySpan<(int, int)>)[(9, 0), (1, 1), (4, -1)])
        {
            model.CopyWeightRow(Site.Embedding, token, row);
            float[] expected = place < 0 ? [.. row] : rows[(place * model.Width)..((place + 1) * model.Width)];
            resident.Embedding!.Apply(token, 1, row);
            Assert.All(expected.Zip(row), pair => Assert.Equal(pair.First, pair.Second, 5));
        }

        Assert.Equal([1, 9], resident.At(Site.Head)!.RowIds.ToArray());
    }

    private static AdapterBuilder Pairs(FileBaseModel model) => new AdapterBuilder().AddPairs(model, 2, false, "q_proj", "v_proj");
}
