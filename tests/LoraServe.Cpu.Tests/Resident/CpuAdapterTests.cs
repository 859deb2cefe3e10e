using LoraServe.Adapters;
using LoraServe.Adapters.Edits;
using LoraServe.Compute.Memory;
using LoraServe.Cpu.Resident;
using LoraServe.Models;
using LoraServe.Testing;

namespace LoraServe.Cpu.Tests.Resident;

[CollectionDefinition(nameof(NativeMemory), DisableParallelization = true)]
public sealed class NativeMemory;

/// <summary>Runs alone, since it compares the process's native memory.</summary>
[Collection(nameof(NativeMemory))]
public sealed class CpuAdapterTests : IDisposable
{
    private readonly Transformer _model = TinyModel.Create(seed: 1);

    public CpuAdapterTests()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
    }

    public void Dispose() => _model.Dispose();

    [Fact]
    public void Place_ThenDispose_HoldsWhatItSaysAndGivesItBack()
    {
        Adapter adapter = TinyModel.CreateAdapter(_model, seed: 2, rank: 2, scaled: true);
        long before = NativeBuffer.AllocatedBytes;
        CpuAdapter resident = Place(adapter.Edits);
        Assert.Equal(resident.ByteLength, NativeBuffer.AllocatedBytes - before);
        Assert.True(resident.ByteLength >= adapter.ByteLength);
        resident.Dispose();
        Assert.Equal(before, NativeBuffer.AllocatedBytes);
    }

    [Fact]
    public void At_SitesWithAndWithoutEdits_GivesEditOrNull()
    {
        var query = new Site(0, SiteRole.Query);
        using CpuAdapter resident = Place([.. TinyModel.CreateAdapter(_model, seed: 2, rank: 2).Edits.Where(edit => edit is ModuleEdit module && module.Site == query)]);
        Assert.Equal(2, resident.At(query)!.Rank);
        Assert.Null(resident.At(new Site(0, SiteRole.Down)));
        Assert.Null(resident.At(Site.Head));
        Assert.Null(resident.At(NormSite.Final));
        Assert.Null(resident.At(0, BottleneckPlace.Attention));
        Assert.Null(resident.PrefixAt(0));
        Assert.Null(resident.PromptAt(0));
        Assert.Null(resident.AtTable(Site.Embedding));
        Assert.Equal(0, resident.VirtualEmbeddings);
    }

    [Fact]
    public void Place_SharedMatricesOfSeveralAdapters_AreHeldOnceAndGivenBack()
    {
        Site[] sites = [new(0, SiteRole.Query), new(1, SiteRole.Query)];
        long before = NativeBuffer.AllocatedBytes;
        CpuAdapter first = Place(Edits());
        long alone = NativeBuffer.AllocatedBytes - before;
        CpuAdapter second = Place(Edits());
        Assert.Equal(alone + second.ByteLength, NativeBuffer.AllocatedBytes - before);
        Assert.True(first.ByteLength < alone);
        Assert.Same(first.At(sites[0])!.A, second.At(sites[0])!.A);
        Assert.Same(first.At(sites[0])!.A, first.At(sites[1])!.A);
        first.Dispose();
        Assert.Equal(alone, NativeBuffer.AllocatedBytes - before);
        second.Dispose();
        Assert.Equal(before, NativeBuffer.AllocatedBytes);

        AdapterEdit[] Edits()
        {
            (int outputs, int inputs) = _model.Spec.Shape(SiteRole.Query);
            var a = new SharedMatrix(RandomPairs.Matrix(3, 2, inputs + 3));
            var b = new SharedMatrix(RandomPairs.Matrix(4, outputs, 2));
            return [.. sites.Select(site => new SharedLowRank(site, a, b, [1, 2], new float[outputs]))];
        }
    }

    private CpuAdapter Place(IReadOnlyList<AdapterEdit> edits) => (CpuAdapter)_model.Place(edits);
}
