using LoraServe.Adapters.Edits;
using LoraServe.Models.Forward;
using LoraServe.Models.Tests.Contract.Edits;

namespace LoraServe.Models.Tests.Contract;

/// <summary>What a device says of an adapter that it has placed, and what it refuses to place.</summary>
public sealed class PlaceTests
{
    [SkippableTheory]
    [MemberData(nameof(ContractCases.Devices), MemberType = typeof(ContractCases))]
    public void Place_AdaptersOfEveryKind_SaysWhatTheyAre(string device)
    {
        using var model = new ContractModel(device, ContractCases.Spec);
        foreach (AdapterEdit[] edits in EditKinds.For(model.Plain))
        {
            ResidentAdapter adapter = model.OnDevice.Place(edits, "its digest", [3, 1]);
            Assert.Equal("its digest", adapter.Digest);
            Assert.Equal([3, 1], adapter.InvocationTokens.ToArray());
            Assert.Equal(edits.OfType<VirtualTokens>().Any(), adapter.HasVirtualEmbeddings);
            Assert.Equal(new Testing.Plain.PlainAdapter(edits).VirtualRows, adapter.VirtualRows);
            Assert.Equal(edits.OfType<SharedLowRank>().Any(), adapter.SharedParts.Count > 0);
            int rank = edits.OfType<ModuleEdit>().Where(edit => !edit.Site.IsTable).GroupBy(edit => edit.Site)
                .Max(site => (int?)site.Sum(edit => edit is LowRank pair ? pair.Rank : edit is SharedLowRank shared ? shared.Rank : 0)) ?? 0;
            Assert.Equal(rank, adapter.MaximumRank);
            adapter.Dispose();
            adapter.Dispose();
        }
    }

    [SkippableTheory]
    [MemberData(nameof(ContractCases.Devices), MemberType = typeof(ContractCases))]
    public void Place_EditsThatCannotBeTogether_AreRefused(string device)
    {
        using var model = new ContractModel(device, ContractCases.Spec);
        int width = model.Plain.Width;
        var query = new Site(0, SiteRole.Query);
        var tokens = new VirtualTokens(new FloatMatrix(3, width));
        int keys = model.Plain.Spec.KeyValueHeads * model.Plain.Spec.HeadSize;
        var prefix = new PrefixKeyValue(0, new FloatMatrix(3, keys), new FloatMatrix(3, keys));
        AdapterEdit[][] refused =
        [
            [tokens, prefix],
            [prefix, tokens],
            [prefix, new PrefixKeyValue(1, new FloatMatrix(2, keys), new FloatMatrix(2, keys))],
            [new InputScale(query, new float[width]), new InputRotation(query, [new BlockRotation(new FloatMatrix(width, 2), [])])],
            [new InputScale(query, new float[width + 1])],
            [new PromptAttention(2, PromptPlace.BeforeOutput, new FloatMatrix(3, keys), new FloatMatrix(3, keys))],
            [new PromptAttention(0, PromptPlace.BeforeOutput, new FloatMatrix(3, keys), new FloatMatrix(2, keys))],
            [new PromptAttention(0, PromptPlace.BeforeOutput, new FloatMatrix(0, keys), new FloatMatrix(0, keys))],
            [new PromptAttention(0, PromptPlace.AfterOutput, new FloatMatrix(3, keys), new FloatMatrix(3, keys))], // heads are together wider than the stream
            [new Bottleneck(2, BottleneckPlace.Mlp, BottleneckInput.Sum, new FloatMatrix(2, width), new float[2], Activation.Relu, new FloatMatrix(width, 2), new float[width], [1])],
        ];
        Assert.All(refused, edits => Assert.Throws<ArgumentException>(() => model.OnDevice.Place(edits)));
    }
}
