using LoraServe.Adapters.Edits;
using LoraServe.Testing.Plain;

namespace LoraServe.Models.Tests.Contract.Edits;

/// <summary>Embeddings ahead of the prompt.</summary>
public sealed class VirtualTokensTests : EditContract
{
    internal override IEnumerable<AdapterEdit> Edits(PlainModel model, EditValues values) =>
        [new VirtualTokens(new FloatMatrix(3, model.Width, values.Around(0, 3 * model.Width)))];
}
