using LoraServe.Adapters.Edits;
using LoraServe.Models.Spec;
using LoraServe.Testing.Plain;

namespace LoraServe.Models.Tests.Contract.Edits;

/// <summary>Keys and values apart from the sequence's: in every layer or in one, before the output projection and beside it, few rows and many.</summary>
public sealed class PromptAttentionTests : EditContract
{
    private const int Rows = 5;

    /// <summary>Whose heads are together as wide as the stream.</summary>
    private static TransformerSpec Square => ContractCases.Spec with { Width = ContractCases.Spec.QueryHeads * ContractCases.Spec.HeadSize };

    [SkippableTheory]
    [MemberData(nameof(ContractCases.Arrangements), MemberType = typeof(ContractCases))]
    public void Forward_BesideTheOutput_GivesThePlainLogits(string device, string arrangement)
    {
        using var model = new ContractModel(device, Square);
        ForwardContract.Check(model, Arrangement.Named(arrangement), Both);
    }

    [SkippableTheory]
    [MemberData(nameof(ContractCases.Trainings), MemberType = typeof(ContractCases))]
    public void Backward_BesideTheOutput_GivesTheDifferencesDerivatives(string device, string training)
    {
        using var model = new ContractModel(device, Square);
        BackwardContract.Check(model, TrainingCase.Named(training), Both);
    }

    [SkippableTheory]
    [MemberData(nameof(ContractCases.Devices), MemberType = typeof(ContractCases))]
    public void Forward_RowsThatFillNoVectorOrSeveral_GiveThePlainLogits(string device)
    {
        using var model = new ContractModel(device, Square with { KeyValueHeads = 1, ResidualScale = 0.5f });
        foreach (int rows in (int[])[1, 8, 9, 40])
        {
            ForwardContract.Check(model, Arrangement.Together, (plain, values) => [Prompt(plain, values, 1, PromptPlace.BeforeOutput, rows), Prompt(plain, values, 0, PromptPlace.AfterOutput, rows)]);
        }
    }

    internal override IEnumerable<AdapterEdit> Edits(PlainModel model, EditValues values) =>
        Enumerable.Range(0, model.LayerCount).Select(layer => Prompt(model, values, layer, PromptPlace.BeforeOutput, Rows));

    private static IEnumerable<AdapterEdit> Both(PlainModel model, EditValues values) =>
        [Prompt(model, values, 0, PromptPlace.BeforeOutput, Rows), Prompt(model, values, 1, PromptPlace.AfterOutput, Rows)];

    private static PromptAttention Prompt(PlainModel model, EditValues values, int layer, PromptPlace place, int rows)
    {
        int width = model.Spec.KeyWidth;
        return new PromptAttention(layer, place, Matrix(), Matrix());

        FloatMatrix Matrix() => new(rows, width, values.Around(0, rows * width, 1));
    }
}
