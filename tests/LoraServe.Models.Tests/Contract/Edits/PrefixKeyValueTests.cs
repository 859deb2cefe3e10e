using LoraServe.Adapters.Edits;
using LoraServe.Testing.Plain;

namespace LoraServe.Models.Tests.Contract.Edits;

/// <summary>Keys and values ahead of the prompt, in every layer or in one.</summary>
public sealed class PrefixKeyValueTests : EditContract
{
    [SkippableTheory]
    [MemberData(nameof(ContractCases.Devices), MemberType = typeof(ContractCases))]
    public void Forward_PrefixOfOneLayer_LeavesTheOthersTheirRowsKeysAndValues(string device)
    {
        using var model = new ContractModel(device, ContractCases.Spec);
        for (int layer = 0; layer < 2; layer++)
        {
            ForwardContract.Check(model, Arrangement.Named("two adapters"), (plain, values) => [Prefix(plain, values, layer)]);
            BackwardContract.Check(model, TrainingCase.Named("ragged"), (plain, values) => [Prefix(plain, values, layer)]);
        }
    }

    internal override IEnumerable<AdapterEdit> Edits(PlainModel model, EditValues values) =>
        Enumerable.Range(0, model.LayerCount).Select(layer => Prefix(model, values, layer));

    private static PrefixKeyValue Prefix(PlainModel model, EditValues values, int layer)
    {
        int width = model.Spec.KeyValueHeads * model.Spec.HeadSize;
        return new PrefixKeyValue(layer, Matrix(), Matrix());

        FloatMatrix Matrix() => new(4, width, values.Around(0, 4 * width, 1));
    }
}
