using LoraServe.Adapters;
using LoraServe.Adapters.Edits;
using LoraServe.Testing.Plain;

namespace LoraServe.Models.Tests.Contract.Edits;

/// <summary>Pairs of every module that a classifier scales row by row, each place by scalings of its own. Served only; one such adapter in a stack.</summary>
public sealed class RoutedLowRankTests : EditTests
{
    private const int Experts = 3;

    public static TheoryData<string, string> Arrangements => ContractCases.Over(Arrangement.All.Where(IsPossible).Select(arrangement => arrangement.Name));

    [SkippableTheory]
    [MemberData(nameof(Arrangements))]
    public void Forward_Arrangement_GivesThePlainLogits(string device, string arrangement)
    {
        using var model = new ContractModel(device, ContractCases.Spec);
        ForwardContract.Check(model, Arrangement.Named(arrangement), Edits);
    }

    [SkippableTheory]
    [MemberData(nameof(ContractCases.Shapes), MemberType = typeof(ContractCases))]
    public void Forward_ShapeOfModel_GivesThePlainLogits(string device, string shape)
    {
        using var model = new ContractModel(device, ContractCases.Shape(shape));
        var together = new Arrangement("all that are possible", [.. Arrangement.All.Where(IsPossible).SelectMany(arrangement => arrangement.Prompts)]);
        ForwardContract.Check(model, together, Edits);
    }

    internal override IEnumerable<AdapterEdit> Edits(PlainModel model, EditValues values) =>
        [.. Pairs(model, values, Experts, isLayerwise: true), Classifier(model, values, Experts, model.Modules.Count)];

    /// <summary>Pairs of every module; not every expert has all.</summary>
    internal static IEnumerable<AdapterEdit> Pairs(PlainModel model, EditValues values, int experts, bool isLayerwise)
    {
        for (int place = 0; place < model.Modules.Count; place++)
        {
            BaseModule module = model.Modules[place];
            (int outputs, int inputs) = module.Site.IsTable ? (module.Inputs, module.Outputs) : (module.Outputs, module.Inputs);
            for (int expert = 0; expert < experts; expert++)
            {
                if ((place + expert) % 4 != 3)
                {
                    yield return new RoutedLowRank(
                        module.Site, values.Matrix(2 + expert, inputs), values.Matrix(outputs, 2 + expert), 0.5f + expert, ((isLayerwise ? place : 0) * experts) + expert);
                }
            }
        }
    }

    /// <summary>A classifier of two layers.</summary>
    internal static ScalingClassifier Classifier(PlainModel model, EditValues values, int experts, int places)
    {
        const int Size = 7;
        return new ScalingClassifier(
            [
                new ClassifierLayer(values.Matrix(Size, model.Width, 2), values.Around(0.2f, Size)),
                new ClassifierLayer(values.Matrix(places * experts, Size, 2), values.Around(0, places * experts)),
            ],
            experts,
            places);
    }

    private static bool IsPossible(Arrangement arrangement) => arrangement.Prompts.All(prompt => prompt.Stack.Count(use => use.Adapter < Arrangement.AdapterCount - 1) <= 1);
}
