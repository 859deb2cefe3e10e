using LoraServe.Adapters.Edits;
using LoraServe.Testing.Plain;

namespace LoraServe.Models.Tests.Contract.Edits;

/// <summary>Bottlenecks after attention and MLP: every input, activation and norm.</summary>
public sealed class BottleneckTests : EditContract
{
    /// <summary>Devices, inputs, activations.</summary>
    public static TheoryData<string, BottleneckInput, Activation> Kinds
    {
        get
        {
            var data = new TheoryData<string, BottleneckInput, Activation>();
            foreach (string device in Testing.Devices.All.Select(device => device.Name))
            {
                foreach (BottleneckInput input in Enum.GetValues<BottleneckInput>())
                {
                    foreach (Activation activation in Enum.GetValues<Activation>())
                    {
                        data.Add(device, input, activation);
                    }
                }
            }

            return data;
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Kinds))]
    public void Forward_InputActivationAndNorm_GivesThePlainLogits(string device, BottleneckInput input, Activation activation)
    {
        foreach (bool? coversSublayer in (bool?[])[null, false, true])
        {
            using var model = new ContractModel(device, ContractCases.Spec);
            ForwardContract.Check(model, Arrangement.Together, (plain, values) => OtherEdits.Bottlenecks(plain, values, (_, _) => input, activation, coversSublayer));
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Kinds))]
    public void Backward_InputAndActivation_GiveTheDifferencesDerivatives(string device, BottleneckInput input, Activation activation)
    {
        using var model = new ContractModel(device, ContractCases.Spec);
        BackwardContract.Check(model, TrainingCase.Named("ragged"), (plain, values) => OtherEdits.Bottlenecks(plain, values, (_, _) => input, activation, null));
    }

    internal override IEnumerable<AdapterEdit> Edits(PlainModel model, EditValues values) =>
        OtherEdits.Bottlenecks(model, values, (layer, place) => (BottleneckInput)((layer + (2 * (int)place)) % 3), Activation.Silu, null);
}
