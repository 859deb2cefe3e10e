using LoraServe.Adapters.Edits;
using LoraServe.Testing.Plain;

namespace LoraServe.Models.Tests.Contract.Edits;

/// <summary>Changes of some tokens' rows, of the table and of the head; the first and the last token among them.</summary>
public sealed class RowsDeltaTests : EditContract
{
    internal override IEnumerable<AdapterEdit> Edits(PlainModel model, EditValues values)
    {
        int last = model.VocabularySize - 1;
        int[] tokens = [0, .. values.Some(24, last - 1).Select(token => token + 1), last];
        yield return new RowsDelta(Site.Embedding, tokens, values.Matrix(tokens.Length, model.Width));
        tokens = [0, .. values.Some(6, last - 1).Select(token => token + 1), last];
        yield return new RowsDelta(Site.Head, tokens, values.Matrix(tokens.Length, model.Width));
    }
}
