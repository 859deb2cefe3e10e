using LoraServe.Models.Backward;
using LoraServe.Training.Ranks;

namespace LoraServe.Training.Tests.Ranks;

public sealed class DataSetFactsTests
{
    [Fact]
    public void Of_Examples_CountsLabelledTokensAlone()
    {
        DataSetFacts facts = DataSetFacts.Of([Example([1, 2, 3], 1), Example([9, 8, 2, 3], 2), Example([4, 5, 6], 2)]);

        Assert.Equal(new DataSetFacts(3, 5, 2, 3), facts);
        Assert.Equal(5.0 / 3, facts.MeanCompletionTokens);
    }

    [Fact]
    public void Of_LabelsThatRecur_LooksLikeClassification()
    {
        Assert.True(DataSetFacts.Of(Enumerable.Range(0, 100).Select(row => Example([row, 200 + (row % 4)], 1))).LooksLikeClassification);
        Assert.False(DataSetFacts.Of(Enumerable.Range(0, 100).Select(row => Example([1, row], 1))).LooksLikeClassification);
    }

    [Fact]
    public void Complexity_OfFreeText_IsGreaterThanOfLabels()
    {
        double labels = new DataSetFacts(13_000, 30_000, 7, 20).Complexity(49_152);
        double text = new DataSetFacts(13_000, 400_000, 12_900, 3_000).Complexity(49_152);

        Assert.InRange(labels, 0.1, 0.35);
        Assert.InRange(text, 0.65, 0.95);
    }

    [Fact]
    public void Complexity_OfExtremes_StaysWithinItsRange()
    {
        Assert.Equal(0, new DataSetFacts(0, 0, 0, 0).Complexity(100));
        Assert.Equal(1, new DataSetFacts(1, 1_000_000, 1, 100).Complexity(100));
    }

    private static TrainingExample Example(int[] tokens, int prompt) =>
        new(tokens, [.. tokens.Select((token, index) => index < prompt ? TrainingExample.NoLabel : token)]);
}
