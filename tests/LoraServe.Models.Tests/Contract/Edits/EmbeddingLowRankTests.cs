using LoraServe.Adapters.Edits;
using LoraServe.Testing.Plain;

namespace LoraServe.Models.Tests.Contract.Edits;

/// <summary>Low-rank pairs at the token table.</summary>
public sealed class EmbeddingLowRankTests : EditContract
{
    internal override IEnumerable<AdapterEdit> Edits(PlainModel model, EditValues values) =>
    [
        Pair(model, values, 3, 0.6f),
        Pair(model, values, 1, 1.5f),
    ];

    private static LowRank Pair(PlainModel model, EditValues values, int rank, float scale) =>
        new(Site.Embedding, new FloatMatrix(rank, model.VocabularySize, values.Around(0, rank * model.VocabularySize)), values.Matrix(model.Width, rank, 0.5f), scale);
}
