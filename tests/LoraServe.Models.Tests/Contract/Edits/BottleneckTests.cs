using LoraServe.Adapters.Edits;
using LoraServe.Testing.Plain;

namespace LoraServe.Models.Tests.Contract.Edits;

/// <summary>Bottlenecks after attention and MLP: every input, activation and norm.</summary>
public sealed class BottleneckTests : EditContract
{
    private const int Size = 5;

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
            ForwardContract.Check(model, Arrangement.Together, (plain, values) => Everywhere(plain, values, (_, _) => input, activation, coversSublayer));
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Kinds))]
    public void Backward_InputAndActivation_GiveTheDifferencesDerivatives(string device, BottleneckInput input, Activation activation)
    {
        using var model = new ContractModel(device, ContractCases.Spec);
        BackwardContract.Check(model, TrainingCase.Named("ragged"), (plain, values) => Everywhere(plain, values, (_, _) => input, activation, null));
    }

    private protected override IEnumerable<AdapterEdit> Edits(PlainModel model, EditValues values) =>
        Everywhere(model, values, (layer, place) => (BottleneckInput)((layer + (2 * (int)place)) % 3), Activation.Silu, null);

    private static IEnumerable<AdapterEdit> Everywhere(
        PlainModel model, EditValues values, Func<int, BottleneckPlace, BottleneckInput> input, Activation activation, bool? coversSublayer)
    {
        int width = model.Width;
        for (int layer = 0; layer < model.LayerCount; layer++)
        {
            foreach (BottleneckPlace place in Enum.GetValues<BottleneckPlace>())
            {
                yield return new Bottleneck(
                    layer, place, input(layer, place),
                    values.Matrix(Size, width), values.Around(0, Size), activation, values.Matrix(width, Size), values.Around(0, width),
                    layer == 0 ? [0.75f] : values.Around(1, width),
                    coversSublayer is { } covers ? new BottleneckNorm(values.Around(1, width), values.Around(0, width), covers) : null);
            }
        }
    }
}
