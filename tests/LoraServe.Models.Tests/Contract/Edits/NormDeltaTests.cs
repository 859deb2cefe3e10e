using LoraServe.Adapters.Edits;
using LoraServe.Testing.Plain;

namespace LoraServe.Models.Tests.Contract.Edits;

/// <summary>Changes of every norm's gains.</summary>
public sealed class NormDeltaTests : EditContract
{
    internal override IEnumerable<AdapterEdit> Edits(PlainModel model, EditValues values) =>
        model.Norms.Select(norm => new NormDelta(norm.Site, values.Around(0, norm.ParameterCount)));
}
