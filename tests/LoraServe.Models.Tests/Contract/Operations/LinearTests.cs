using LoraServe.Adapters.Edits;
using LoraServe.Models.Spec;

namespace LoraServe.Models.Tests.Contract.Operations;

/// <summary>Linear maps with a bias and without, of widths that fill vectors and that do not.</summary>
public sealed class LinearTests
{
    private static readonly Dictionary<string, TransformerSpec> s_cases = new()
    {
        ["no biases"] = ContractCases.Spec with { Biases = [] },
        ["biases of the MLP"] = ContractCases.Spec with { Biases = [SiteRole.Gate, SiteRole.Up, SiteRole.Down] },
        ["biases of attention"] = ContractCases.Spec with { Biases = [SiteRole.Query, SiteRole.Key, SiteRole.Value, SiteRole.Output] },
        ["narrowest"] = ContractCases.Spec with { Width = 2, QueryHeads = 1, KeyValueHeads = 1, HeadSize = 2, FeedForwardWidth = 1, VocabularySize = 3 },
        ["odd"] = ContractCases.Spec with { Width = 33, QueryHeads = 3, KeyValueHeads = 1, HeadSize = 10, FeedForwardWidth = 47, VocabularySize = 131 },
        ["whole vectors"] = ContractCases.Spec with { Width = 64, HeadSize = 16, FeedForwardWidth = 96, VocabularySize = 128 },
        ["one layer"] = ContractCases.Spec with { LayerCount = 1, Windows = [0] },
    };

    public static TheoryData<string, string> Cases => ContractCases.Over(s_cases.Keys);

    [SkippableTheory]
    [MemberData(nameof(Cases))]
    public void Forward_Prompts_GiveThePlainLogits(string device, string maps)
    {
        using var model = new ContractModel(device, s_cases[maps]);
        ForwardContract.CheckBase(model);
        ForwardContract.Check(model, Arrangement.Together, OtherEdits.All);
    }

    [SkippableTheory]
    [MemberData(nameof(Cases))]
    public void Backward_EditsBelow_GiveTheDifferencesDerivatives(string device, string maps)
    {
        using var model = new ContractModel(device, s_cases[maps]);
        BackwardContract.Check(model, TrainingCase.Named("ragged"), OtherEdits.Below);
    }
}
