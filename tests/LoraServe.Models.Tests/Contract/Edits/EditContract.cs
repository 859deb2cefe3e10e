namespace LoraServe.Models.Tests.Contract.Edits;

/// <summary>What every device owes for a kind of edits, forth and back, in every arrangement and on every shape of model.</summary>
public abstract class EditContract : EditTests
{
    [SkippableTheory]
    [MemberData(nameof(ContractCases.Arrangements), MemberType = typeof(ContractCases))]
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
        ForwardContract.Check(model, Arrangement.Together, Edits);
    }

    [SkippableTheory]
    [MemberData(nameof(ContractCases.Trainings), MemberType = typeof(ContractCases))]
    public void Backward_Examples_GiveTheDifferencesDerivatives(string device, string training)
    {
        using var model = new ContractModel(device, ContractCases.Spec);
        BackwardContract.Check(model, TrainingCase.Named(training), Edits);
    }

    [SkippableTheory]
    [MemberData(nameof(ContractCases.Shapes), MemberType = typeof(ContractCases))]
    public void Backward_ShapeOfModel_GivesTheDifferencesDerivatives(string device, string shape)
    {
        using var model = new ContractModel(device, ContractCases.Shape(shape));
        BackwardContract.Check(model, TrainingCase.Named("ragged"), Edits);
    }
}
