using LoraServe.Models.Spec;

namespace LoraServe.Models.Tests.Contract.Operations;

/// <summary>Attention: heads that share keys and that do not, windows, scales; from one position to many pages.</summary>
public sealed class AttendTests
{
    private static readonly Dictionary<string, TransformerSpec> s_cases = new()
    {
        ["a key for each query"] = ContractCases.Spec with { KeyValueHeads = 4 },
        ["one key for all queries"] = ContractCases.Spec with { KeyValueHeads = 1 },
        ["window of one"] = ContractCases.Spec with { Windows = [1, 0] },
        ["window of a page"] = ContractCases.Spec with { Windows = [16, 17] },
        ["no windows"] = ContractCases.Spec with { Windows = [0, 0] },
        ["sharp"] = ContractCases.Spec with { QueryScale = 5 },
        ["wide heads"] = ContractCases.Spec with { HeadSize = 64 },
    };

    public static TheoryData<string, string> Cases => ContractCases.Over(s_cases.Keys);

    [SkippableTheory]
    [MemberData(nameof(Cases))]
    public void Forward_Prompts_GiveThePlainLogits(string device, string attention)
    {
        using var model = new ContractModel(device, s_cases[attention]);
        ForwardContract.CheckBase(model, 1, 2, 15, 16, 17, 33, 64);
    }

    [SkippableTheory]
    [MemberData(nameof(Cases))]
    public void Backward_EditsBelow_GiveTheDifferencesDerivatives(string device, string attention)
    {
        using var model = new ContractModel(device, s_cases[attention]);
        BackwardContract.Check(model, new TrainingCase("some pages", 3, 35), OtherEdits.Below);
    }

    [SkippableTheory]
    [MemberData(nameof(ContractCases.Devices), MemberType = typeof(ContractCases))]
    public void Forward_HundredsOfPositions_GiveThePlainLogits(string device)
    {
        using var model = new ContractModel(device, ContractCases.Spec with { Windows = [0, 100] });
        ForwardContract.CheckBase(model, 530, 3);
    }
}
