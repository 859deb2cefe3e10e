using LoraServe.Adapters.Edits;

namespace LoraServe.Models.Tests.Contract.Operations;

/// <summary>The MLP's gate through every activation.</summary>
public sealed class GateMultiplyTests
{
    public static TheoryData<string, string> Cases => ContractCases.Over(Enum.GetNames<Activation>());

    [SkippableTheory]
    [MemberData(nameof(Cases))]
    public void Forward_Prompts_GiveThePlainLogits(string device, string activation)
    {
        using var model = new ContractModel(device, ContractCases.Spec with { MlpActivation = Enum.Parse<Activation>(activation) });
        ForwardContract.CheckBase(model);
    }

    [SkippableTheory]
    [MemberData(nameof(Cases))]
    public void Backward_EditsBelow_GiveTheDifferencesDerivatives(string device, string activation)
    {
        using var model = new ContractModel(device, ContractCases.Spec with { MlpActivation = Enum.Parse<Activation>(activation) });
        BackwardContract.Check(model, TrainingCase.Named("ragged"), OtherEdits.Below);
    }
}
