using LoraServe.Adapters.Edits;
using LoraServe.Testing.Plain;

namespace LoraServe.Models.Tests.Contract.Edits;

/// <summary>Every way in which a classifier turns logits into scalings, and first passes of all pairs alike.</summary>
public sealed class ScalingClassifierTests : EditTests
{
    private const int Experts = 4;

    private static readonly Dictionary<string, Func<ScalingClassifier, ScalingClassifier>> s_ways = new()
    {
        ["softmax"] = classifier => classifier,
        ["temperature"] = classifier => classifier with { Temperature = 0.3f },
        ["logits as they are"] = classifier => classifier with { Temperature = null },
        ["the best of a softmax"] = classifier => classifier with { Most = 2 },
        ["the best of the logits"] = classifier => classifier with { Temperature = null, Most = 1 },
        ["a softmax of the best"] = classifier => classifier with { Temperature = null, Most = 3, NormalisesChosen = true },
        ["a softmax of a softmax"] = classifier => classifier with { NormalisesChosen = true },
        ["a first pass with all pairs"] = classifier => classifier with { PassValue = 0.5f },
        ["a first pass with shares"] = classifier => classifier with { PassValue = -2, NormalisesChosen = true },
    };

    public static TheoryData<string, string> Ways => ContractCases.Over(s_ways.Keys);

    [SkippableTheory]
    [MemberData(nameof(Ways))]
    public void Forward_WayOfScaling_GivesThePlainLogits(string device, string way)
    {
        using var model = new ContractModel(device, ContractCases.Spec);
        ForwardContract.Check(model, Arrangement.Named("two adapters"), (plain, values) => Edits(plain, values, s_ways[way]));
    }

    [Fact]
    public void Finish_NothingChosenIsLeft_GivesZeros()
    {
        float[] row = [0, 0];
        new ScalingClassifier([], Experts: 2, Places: 1) { Temperature = null, NormalisesChosen = true }.Finish(row);
        Assert.Equal([0, 0], row);
    }

    internal override IEnumerable<AdapterEdit> Edits(PlainModel model, EditValues values) => Edits(model, values, classifier => classifier);

    private static AdapterEdit[] Edits(PlainModel model, EditValues values, Func<ScalingClassifier, ScalingClassifier> change) =>
        [.. RoutedLowRankTests.Pairs(model, values, Experts, isLayerwise: false), change(RoutedLowRankTests.Classifier(model, values, Experts, places: 1))];
}
