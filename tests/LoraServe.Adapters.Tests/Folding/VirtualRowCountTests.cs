using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Folding;

namespace LoraServe.Adapters.Tests.Folding;

/// <summary>Virtual tokens come once, or a prefix of one length in every layer.</summary>
public sealed class VirtualRowCountTests
{
    private static readonly VirtualTokens s_tokens = new(new FloatMatrix(3, 4));

    [Fact]
    public void Of_EditsThatAgree_IsTheirRows()
    {
        Assert.Equal(0, VirtualRowCount.Of([]));
        Assert.Equal(0, VirtualRowCount.Of([new NormDelta(NormSite.Final, [1, 2, 3, 4])]));
        Assert.Equal(3, VirtualRowCount.Of([s_tokens]));
        Assert.Equal(5, VirtualRowCount.Of([Prefix(0, 5), Prefix(1, 5)]));
    }

    [Fact]
    public void Of_EditsThatDoNot_IsRefusedWithBothCounts()
    {
        Refuses(3, 3, s_tokens, s_tokens);
        Refuses(3, 3, s_tokens, Prefix(0, 3));
        Refuses(5, 3, Prefix(0, 5), s_tokens);
        Refuses(5, 4, Prefix(0, 5), Prefix(1, 4));
    }

    private static void Refuses(int rows, int more, params AdapterEdit[] edits) =>
        Assert.StartsWith($"An adapter has {rows} virtual rows and {more} more; expected", Assert.Throws<ArgumentException>(() => VirtualRowCount.Of(edits)).Message, StringComparison.Ordinal);

    private static PrefixKeyValue Prefix(int layer, int rows) => new(layer, new FloatMatrix(rows, 4), new FloatMatrix(rows, 4));
}
