using LoraServe.Adapters.Edits;
using LoraServe.Adapters.LinearAlgebra;
using LoraServe.Adapters.Merging;
using LoraServe.Testing;
using LoraServe.Testing.Plain;

namespace LoraServe.Adapters.Tests.Merging;

public sealed class AdapterCombinationTests
{
    private static readonly PlainModel s_model = AdapterBuilder.TinyBase;

    [Theory]
    [InlineData(CombinationMethod.Concatenation)]
    [InlineData(CombinationMethod.Svd)]
    public void Combine_WithoutLoss_IsTheWeightedSumOfTheChanges(CombinationMethod method)
    {
        Adapter adapter = Plain(2);
        Adapter other = Plain(3);
        LowRank[] pairs = [.. AdapterCombination.Combine([new(adapter, 0.5), new(other, -2)], s_model, new CombinationOptions { Method = method, Rank = 5 })];
        Assert.Equal(2, pairs.Length);
        foreach (LowRank pair in pairs)
        {
            FloatMatrix expected = Change(adapter, pair.Site);
            FloatMatrix second = Change(other, pair.Site);
            FloatMatrix actual = new(pair.B.Rows, pair.A.Columns);
            LowRankProduct.Add(actual, pair.A, pair.B, pair.Scale);
            for (int i = 0; i < actual.Values.Length; i++)
            {
                Assert.Equal((0.5 * expected.Values[i]) - (2 * second.Values[i]), actual.Values[i], 4);
            }
        }
    }

    [Fact]
    public void Combine_DareTwiceWithOneSeed_IsTheSame()
    {
        Adapter adapter = Plain(2);
        var options = new CombinationOptions { Method = CombinationMethod.DareTies, Density = 0.5, Seed = 3 };
        WeightedAdapter[] inputs = [new(adapter, 1), new(adapter, 0.5)];
        Assert.Equal(AdapterCombination.Combine(inputs, s_model, options)[0].A.Values, AdapterCombination.Combine(inputs, s_model, options)[0].A.Values);
    }

    [Fact]
    public void Combine_DifferentRanksByFactors_IsRefused() =>
        Assert.Contains("ranks 2, 3", Assert.Throws<MergeException>(() =>
            AdapterCombination.Combine([new(Plain(2), 1), new(Plain(3), 1)], s_model, new CombinationOptions())).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData(0)]
    [InlineData(1.5)]
    [InlineData(double.NaN)]
    public void Combine_DensityOutOfRange_IsRefused(double density) =>
        Assert.Throws<MergeException>(() => AdapterCombination.Combine([new(Plain(2), 1)], s_model, new CombinationOptions { Density = density }));

    [Theory]
    [InlineData(CombinationMethod.Concatenation, 4)]
    [InlineData(CombinationMethod.Svd, 8)]
    public void Combine_RankAboveTheBound_IsRefused(CombinationMethod method, int bound)
    {
        WeightedAdapter[] inputs = [new(Plain(2), 1), new(Plain(3), 1)];
        var options = new CombinationOptions { Method = method, Rank = bound + 1, MaximumRank = bound };

        Assert.Contains($"at most {bound}", Assert.Throws<MergeException>(() => AdapterCombination.Combine(inputs, s_model, options)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(CombinationMethod.Linear)]
    [InlineData(CombinationMethod.Concatenation)]
    [InlineData(CombinationMethod.Svd)]
    [InlineData(CombinationMethod.TiesSvd)]
    public void Combine_MemoryAboveTheBound_IsRefused(CombinationMethod method)
    {
        WeightedAdapter[] inputs = [new(Plain(2), 1), new(Plain(2), 1)];
        var options = new CombinationOptions { Method = method, MaximumBytes = 100 };

        Assert.Contains("at most 100 may be taken", Assert.Throws<MergeException>(() => AdapterCombination.Combine(inputs, s_model, options)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Combine_CancelledInTheMiddle_GivesUp()
    {
        using var caller = new CancellationTokenSource();
        WeightedAdapter[] inputs = [.. Enumerable.Repeat(new WeightedAdapter(Plain(2), 1), 50)];
        int masks = 0;

        Assert.Throws<OperationCanceledException>(() => AdapterCombination.Combine(
            inputs, s_model, new CombinationOptions { Method = CombinationMethod.DareLinearSvd, Density = 0.5 }, DrawMask, caller.Token));

        Assert.Equal(3, masks);

        bool[] DrawMask(int count)
        {
            if (++masks == 3)
            {
                caller.Cancel();
            }

            return new bool[count];
        }
    }

    [Fact]
    public void FindMethod_NamesOfPeft_AreAllKnown()
    {
        foreach (string name in (string[])["linear", "cat", "svd", "ties", "ties_svd", "dare_linear", "dare_ties", "dare_linear_svd", "dare_ties_svd", "magnitude_prune", "magnitude_prune_svd"])
        {
            Assert.NotNull(CombinationOptions.FindMethod(name));
        }

        Assert.Null(CombinationOptions.FindMethod("nonesuch"));
    }

    private static Adapter Plain(int rank) => new AdapterBuilder { Config = { ["r"] = rank } }.AddPairs(s_model, rank, false, "q_proj", "v_proj").Load();

    private static FloatMatrix Change(Adapter adapter, Site site)
    {
        LowRank pair = adapter.Edits.OfType<LowRank>().Single(edit => edit.Site == site);
        var change = new FloatMatrix(pair.B.Rows, pair.A.Columns);
        LowRankProduct.Add(change, pair.A, pair.B, pair.Scale);
        return change;
    }
}
