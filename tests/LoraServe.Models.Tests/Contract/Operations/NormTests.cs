using LoraServe.Adapters.Edits;
using LoraServe.Models.Spec;

namespace LoraServe.Models.Tests.Contract.Operations;

/// <summary>Norms before sublayers and after them, with little and with much below the root.</summary>
public sealed class NormTests
{
    private static readonly Dictionary<string, TransformerSpec> s_cases = new()
    {
        ["hardly any epsilon"] = ContractCases.Spec with { NormEpsilon = 1e-6f },
        ["an epsilon that shows"] = ContractCases.Spec with { NormEpsilon = 0.5f },
        ["after attention"] = ContractCases.Spec with { LayerNorms = [NormRole.Attention, NormRole.AfterAttention, NormRole.Mlp] },
        ["after the MLP"] = ContractCases.Spec with { LayerNorms = [NormRole.Attention, NormRole.Mlp, NormRole.AfterMlp] },
        ["after both, listed otherwise"] = ContractCases.Spec with { LayerNorms = [NormRole.AfterMlp, NormRole.Mlp, NormRole.AfterAttention, NormRole.Attention] },
    };

    public static TheoryData<string, string> Cases => ContractCases.Over(s_cases.Keys);

    [SkippableTheory]
    [MemberData(nameof(Cases))]
    public void Forward_Prompts_GiveThePlainLogits(string device, string norms)
    {
        using var model = new ContractModel(device, s_cases[norms]);
        ForwardContract.CheckBase(model);
    }

    [SkippableTheory]
    [MemberData(nameof(Cases))]
    public void Backward_EditsBelow_GiveTheDifferencesDerivatives(string device, string norms)
    {
        using var model = new ContractModel(device, s_cases[norms]);
        BackwardContract.Check(model, TrainingCase.Named("ragged"), OtherEdits.Below);
    }
}
