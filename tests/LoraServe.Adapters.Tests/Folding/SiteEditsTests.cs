using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Folding;
using LoraServe.Testing;
using LoraServe.Testing.Plain;

namespace LoraServe.Adapters.Tests.Folding;

public sealed class SiteEditsTests
{
    [Fact]
    public void Of_EditsOfSeveralModules_BringsTogetherWhatIsAtEach()
    {
        PlainModel model = AdapterBuilder.TinyBase;
        var query = new Site(0, SiteRole.Query);
        int width = model.At(query).Outputs;
        var first = new LowRank(query, new FloatMatrix(1, model.Width, [.. Enumerable.Repeat(1f, model.Width)]), new FloatMatrix(width, 1, [.. Enumerable.Repeat(2f, width)]), 3);
        var second = new LowRank(query, new FloatMatrix(2, model.Width), new FloatMatrix(width, 2, [.. Enumerable.Repeat(5f, 2 * width)]), 1);
        var scale = new OutputScale(query, [.. Enumerable.Repeat(4f, width)]);
        var bias = new BiasDelta(query, [.. Enumerable.Repeat(0.5f, width)]);
        var rows = new RowsDelta(Site.Head, [3, 7], new FloatMatrix(2, model.Width));
        IReadOnlyList<SiteEdits> edits = SiteEdits.Of([rows, first, scale, bias, second, bias], model);
        Assert.Equal([query, Site.Head], edits.Select(edit => edit.Module.Site));

        // Scales are in B where there are several pairs, output scales too.
        Assert.Equal((3, 3, 1f), (edits[0].A!.Rows, edits[0].B!.Columns, edits[0].Scale));
        Assert.Equal([24f, 20, 20], edits[0].B!.Row(0).ToArray());
        Assert.All(edits[0].OutputGain!, gain => Assert.Equal(3, gain));
        Assert.All(edits[0].Bias!, value => Assert.Equal(1, value));
        Assert.Equal([3, 7], edits[1].RowIds);
        Assert.Null(edits[1].A);
    }

    [Fact]
    public void Of_EditsOfOtherShapes_AreRefused()
    {
        PlainModel model = AdapterBuilder.TinyBase;
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
            new PromptAttention(0, PromptPlace.BeforeOutput, new FloatMatrix(2, model.KeyWidth), new FloatMatrix(2, model.KeyWidth + 1)),
            new Bottleneck(0, BottleneckPlace.Mlp, BottleneckInput.Sum, new FloatMatrix(2, width), new float[3], Activation.Relu, new FloatMatrix(width, 2), new float[width], [1]),
        ];
        Assert.All(edits, edit => Assert.Throws<ArgumentException>(() => SiteEdits.Of([edit], model)));
    }
}
