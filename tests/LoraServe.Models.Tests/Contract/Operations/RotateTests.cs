using LoraServe.Models.Spec;

namespace LoraServe.Models.Tests.Contract.Operations;

/// <summary>Positions turned by every kind of rope.</summary>
public sealed class RotateTests
{
    private static readonly Dictionary<string, RopeSpec> s_ropes = new()
    {
        ["plain"] = new RopeSpec { Theta = 10_000 },
        ["fast"] = new RopeSpec { Theta = 3 },
        ["linear"] = new RopeSpec { Theta = 100, Scaling = RopeScaling.Linear, Factor = 4 },
        ["dynamic"] = new RopeSpec { Theta = 100, Scaling = RopeScaling.Dynamic, Factor = 2, OriginalContext = 8 },
        ["yarn"] = new RopeSpec { Theta = 100, Scaling = RopeScaling.Yarn, Factor = 4, OriginalContext = 16, AttentionFactor = 1.2f },
        ["llama3"] = new RopeSpec { Theta = 100, Scaling = RopeScaling.Llama3, Factor = 8, OriginalContext = 64 },
        ["divisors"] = new RopeSpec { Theta = 100, Divisors = [1, 1.5f, 4] },
    };

    public static TheoryData<string, string> Cases => ContractCases.Over(s_ropes.Keys);

    [SkippableTheory]
    [MemberData(nameof(Cases))]
    public void Forward_Prompts_GiveThePlainLogits(string device, string rope)
    {
        using var model = new ContractModel(device, ContractCases.Spec with { Rope = s_ropes[rope], QueryScale = 1 });
        ForwardContract.CheckBase(model);
    }

    [SkippableTheory]
    [MemberData(nameof(Cases))]
    public void Backward_EditsBelow_GiveTheDifferencesDerivatives(string device, string rope)
    {
        using var model = new ContractModel(device, ContractCases.Spec with { Rope = s_ropes[rope], QueryScale = 1 });
        BackwardContract.Check(model, TrainingCase.Named("ragged"), OtherEdits.Below);
    }
}
