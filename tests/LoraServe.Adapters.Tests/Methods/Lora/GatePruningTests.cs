using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Methods.Lora;
using LoraServe.Testing;

namespace LoraServe.Adapters.Tests.Methods.Lora;

public sealed class GatePruningTests
{
    [Fact]
    public void Prune_ClosedGates_LeaveTheirTermsOutAndTheRestAsItWas()
    {
        LowRank pair = RandomPairs.Pair(1, 4, 6, 7, scale: 0.5f);
        float[] gates = [0, 0.7f, 0, -1.2f];

        LowRank pruned = GatePruning.Prune(pair, gates, threshold: 0)!;

        Assert.Equal((2, 0.5f), (pruned.Rank, pruned.Scale));
        float[] gated = new float[pair.A.Values.Length];
        RankGates<float>.Apply(gates, pair.A.Values, gated);
        var whole = new LowRank(pair.Site, new FloatMatrix(4, 7, gated), pair.B, pair.Scale);
        var error = new FloatMatrix(6, 7);
        for (int row = 0; row < 6; row++)
        {
            for (int column = 0; column < 7; column++)
            {
                float expected = 0.5f * Enumerable.Range(0, 4).Sum(k => whole.B.Row(row)[k] * whole.A.Row(k)[column]);
                error.Row(row)[column] = expected - (0.5f * Enumerable.Range(0, 2).Sum(k => pruned.B.Row(row)[k] * pruned.A.Row(k)[column]));
            }
        }

        Assert.Equal(0, error.Norm(), 6);
    }

    [Fact]
    public void Prune_AllGatesClosed_LeavesNothing() => Assert.Null(GatePruning.Prune(RandomPairs.Pair(2, 2, 3, 3), [0.01f, -0.02f], threshold: 0.05f));

    [Fact]
    public void Prune_AnotherNumberOfGates_IsRefused() => Assert.Throws<ArgumentException>(() => GatePruning.Prune(RandomPairs.Pair(3, 2, 3, 3), [1], 0));
}
