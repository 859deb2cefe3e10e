using LoraServe.Adapters;
using LoraServe.Adapters.Edits;
using LoraServe.Testing.Plain;

namespace LoraServe.Models.Tests.Contract.Edits;

/// <summary>Low-rank pairs at the token table and, where the model has one, at the table of positions.</summary>
public sealed class EmbeddingLowRankTests : EditContract
{
    internal override IEnumerable<AdapterEdit> Edits(PlainModel model, EditValues values) =>
    [
        .. model.Modules.Where(module => module.Site.IsTable).SelectMany(table => new[] { Pair(table, values, 3, 0.6f), Pair(table, values, 1, 1.5f) }),
    ];

    private static LowRank Pair(BaseModule table, EditValues values, int rank, float scale) =>
        new(table.Site, new FloatMatrix(rank, table.Outputs, values.Around(0, rank * table.Outputs)), values.Matrix(table.Inputs, rank, 0.5f), scale);
}
