using System.Text.Json.Nodes;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Tests.Reference;
using LoraServe.Compute.Memory;
using LoraServe.Cpu.Resident;

namespace LoraServe.Adapters.Tests.Folding;

[CollectionDefinition(nameof(NativeMemory), DisableParallelization = true)]
public sealed class NativeMemory;

/// <summary>Runs alone, since it compares the process's native memory.</summary>
[Collection(nameof(NativeMemory))]
public sealed class SiteEditsTests
{
    [Fact]
    public void Create_ThenDispose_HoldsWhatItSaysAndGivesItBack()
    {
        FileBaseModel model = AdapterBuilder.TinyBase;
        Adapter adapter = Pairs(model).Load();
        GC.Collect();
        GC.WaitForPendingFinalizers();
        long before = NativeBuffer.AllocatedBytes;
        CpuAdapter resident = model.Place(adapter);
        Assert.Equal(resident.ByteLength, NativeBuffer.AllocatedBytes - before);
        Assert.True(resident.ByteLength >= adapter.ByteLength);
        resident.Dispose();
        Assert.Equal(before, NativeBuffer.AllocatedBytes);
    }

    [Fact]
    public void At_SitesWithAndWithoutEdits_GivesEditOrNull()
    {
        FileBaseModel model = AdapterBuilder.TinyBase;
        using CpuAdapter resident = model.Place(Pairs(model).Load());
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
        using CpuAdapter resident = model.Place(builder.Load());
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

    [Fact]
    public void Create_SharedMatricesOfSeveralAdapters_AreHeldOnceAndGivenBack()
    {
        FileBaseModel model = AdapterBuilder.TinyBase;
        BaseModule[] modules = [.. model.Modules.Where(module => module.Name is "q_proj" or "v_proj")];
        GC.Collect();
        GC.WaitForPendingFinalizers();
        long before = NativeBuffer.AllocatedBytes;
        CpuAdapter first = model.Place(Edits());
        long alone = NativeBuffer.AllocatedBytes - before;
        CpuAdapter second = model.Place(Edits());
        Assert.Equal(alone + second.ByteLength, NativeBuffer.AllocatedBytes - before);
        Assert.True(first.ByteLength < alone);
        Assert.Same(first.At(modules[0].Site)!.A, second.At(modules[0].Site)!.A);
        first.Dispose();
        Assert.Equal(alone, NativeBuffer.AllocatedBytes - before);
        second.Dispose();
        Assert.Equal(before, NativeBuffer.AllocatedBytes);

        AdapterEdit[] Edits()
        {
            var a = new SharedMatrix(new FloatMatrix(2, model.Width + 3, [.. Enumerable.Range(0, 2 * (model.Width + 3)).Select(i => (float)i)]));
            var b = new SharedMatrix(new FloatMatrix(model.Width, 2, [.. Enumerable.Range(0, 2 * model.Width).Select(i => (float)i)]));
            return [.. modules.Select(module => new SharedLowRank(module.Site, a, b, [1, 2], new float[module.Outputs]))];
        }
    }

    [Fact]
    public void Create_VirtualTokensAndPrefixes_CountsTheirRowsAndRefusesOthers()
    {
        FileBaseModel model = AdapterBuilder.TinyBase;
        var tokens = new VirtualTokens(new FloatMatrix(3, model.Width));
        var prefix = new PrefixKeyValue(0, new FloatMatrix(3, model.HeadSize), new FloatMatrix(3, model.HeadSize));
        using CpuAdapter prompt = model.Place([tokens]);
        Assert.Equal((3, null), (prompt.VirtualRows, prompt.PrefixAt(0)));
        Assert.NotEqual(0, prompt.VirtualEmbeddings);
        using CpuAdapter keys = model.Place([prefix]);
        Assert.Equal((3, (nint)0, model.HeadSize), (keys.VirtualRows, keys.VirtualEmbeddings, keys.PrefixAt(0)!.Width));
        Assert.Throws<ArgumentException>(() => model.Place([prefix, tokens]));
        Assert.Throws<ArgumentException>(() => model.Place([tokens, prefix]));
    }

    [Fact]
    public void Create_EditsOfOtherShapes_AreRefused()
    {
        FileBaseModel model = AdapterBuilder.TinyBase;
        int width = model.Width;
        var query = new Site(0, SiteRole.Query);
        var shared = new SharedMatrix(new FloatMatrix(2, width - 1));
        AdapterEdit[] edits =
        [
            new LowRank(query, new FloatMatrix(2, width + 1), new FloatMatrix(width, 2), 1),
            new LowRank(Site.Embedding, new FloatMatrix(2, width), new FloatMatrix(model.VocabularySize, 2), 1),
            new SharedLowRank(query, shared, shared, [1, 1], new float[width]),
            new InputScale(query, [1]),
            new OutputScale(query, [1]),
            new BiasDelta(query, [1]),
            new DenseDelta(query, new FloatMatrix(1, 1)),
            new RowsDelta(Site.Head, [3, 2], new FloatMatrix(2, width)),
            new RowsDelta(query, [1], new FloatMatrix(1, width)),
            new NormDelta(NormSite.Final, [1]),
            new VirtualTokens(new FloatMatrix(2, width + 1)),
            new PrefixKeyValue(1, new FloatMatrix(2, model.HeadSize), new FloatMatrix(2, model.HeadSize)),
            new Bottleneck(0, BottleneckPlace.Mlp, BottleneckInput.Sum, new FloatMatrix(2, width), new float[3], Activation.Relu, new FloatMatrix(width, 2), new float[width], [1]),
        ];
        Assert.All(edits, edit => Assert.Throws<ArgumentException>(() => model.Place([edit])));
    }

    [Fact]
    public void Create_BottleneckWithOneFactor_RepeatsItOverTheWidth()
    {
        FileBaseModel model = AdapterBuilder.TinyBase;
        var edit = new Bottleneck(
            0, BottleneckPlace.Mlp, BottleneckInput.Sum, new FloatMatrix(2, model.Width), new float[2], Activation.Tanh, new FloatMatrix(model.Width, 2), new float[model.Width], [1.5f]);
        using CpuAdapter resident = model.Place([edit]);
        BottleneckEdit placed = resident.At(0, BottleneckPlace.Mlp)!;
        Assert.Null(resident.At(0, BottleneckPlace.Attention));
        unsafe
        {
            Assert.All(new ReadOnlySpan<float>((float*)placed.Scale, model.Width).ToArray(), value => Assert.Equal(1.5f, value));
        }

        Assert.Equal((0, 0, BottleneckInput.Sum), (placed.NormGain, placed.NormBias, placed.Input));
    }

    private static AdapterBuilder Pairs(FileBaseModel model) => new AdapterBuilder().AddPairs(model, 2, false, "q_proj", "v_proj");
}
