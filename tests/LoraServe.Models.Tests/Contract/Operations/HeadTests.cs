using LoraServe.Adapters.Edits;
using LoraServe.Models.Spec;
using LoraServe.Testing.Plain;

namespace LoraServe.Models.Tests.Contract.Operations;

/// <summary>The head: of its own or the table, with bounded logits or without, of few rows and of more than a device may take at a time.</summary>
public sealed class HeadTests
{
    private static readonly Dictionary<string, TransformerSpec> s_cases = new()
    {
        ["its own"] = ContractCases.Spec,
        ["the table"] = ContractCases.Spec with { TiedHead = true },
        ["bounded"] = ContractCases.Spec with { LogitCap = 1.5f },
        ["the table, bounded"] = ContractCases.Spec with { TiedHead = true, LogitCap = 1.5f },
    };

    public static TheoryData<string, string> Cases => ContractCases.Over(s_cases.Keys);

    [SkippableTheory]
    [MemberData(nameof(Cases))]
    public void Forward_WithEditsOfTheHead_GivesThePlainLogits(string device, string head)
    {
        using var model = new ContractModel(device, s_cases[head]);
        ForwardContract.CheckBase(model);
        ForwardContract.Check(model, Arrangement.Together, OfTheHead);
    }

    [SkippableTheory]
    [MemberData(nameof(Cases))]
    public void Backward_ManyLabelledRows_GiveTheDifferencesDerivatives(string device, string head)
    {
        using var model = new ContractModel(device, s_cases[head]);
        BackwardContract.Check(model, TrainingCase.Named("ragged"), OfTheHead);
        BackwardContract.Check(model, new TrainingCase("many rows", [.. Enumerable.Repeat(30, 40)]), OfTheHead);
    }

    private static IEnumerable<AdapterEdit> OfTheHead(PlainModel model, EditValues values) =>
        OtherEdits.All(model, values).Where(edit => edit is ModuleEdit { Site.Role: SiteRole.Head } or NormDelta { Site.Role: NormRole.Final });
}
