using LoraServe.Adapters.Edits;

namespace LoraServe.Testing;

/// <summary>Random matrices and pairs, the same for the same seed.</summary>
public static class RandomPairs
{
    public static FloatMatrix Matrix(int seed, int rows, int columns)
    {
        var random = new Random(seed);
        return new FloatMatrix(rows, columns, [.. Enumerable.Range(0, rows * columns).Select(_ => (random.NextSingle() * 2) - 1)]);
    }

    public static LowRank Pair(int seed, int rank, int outputs, int inputs, float scale = 1) =>
        new(new Site(0, SiteRole.Query), Matrix(seed, rank, inputs), Matrix(seed + 1, outputs, rank), scale);
}
