using LoraServe.Adapters.Edits;
using LoraServe.Testing.Plain;

namespace LoraServe.Models.Tests.Contract.Edits;

/// <summary>Other gains at every norm, whatever the weight; what other adapters of a stack add is added to them, wherever they stand in it.</summary>
public sealed class NormReplacementTests : EditContract
{
    internal override IEnumerable<AdapterEdit> Edits(PlainModel model, EditValues values) =>
        model.Norms.Select(norm => new NormReplacement(norm.Site, values.Around(1, norm.ParameterCount)));
}
