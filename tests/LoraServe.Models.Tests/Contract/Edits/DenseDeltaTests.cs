using LoraServe.Adapters;
using LoraServe.Adapters.Edits;
using LoraServe.Testing.Plain;

namespace LoraServe.Models.Tests.Contract.Edits;

/// <summary>Whole changes of every linear map, the head and the token table.</summary>
public sealed class DenseDeltaTests : EditContract
{
    internal override IEnumerable<AdapterEdit> Edits(PlainModel model, EditValues values)
    {
        foreach (BaseModule module in model.Modules)
        {
            yield return new DenseDelta(module.Site, values.Matrix(module.Outputs, module.Inputs, 0.4f));
        }
    }
}
