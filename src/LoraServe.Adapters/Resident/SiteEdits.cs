using LoraServe.Adapters.Edits;
using LoraServe.Adapters.LinearAlgebra;

namespace LoraServe.Adapters.Resident;

/// <summary>The edits of one module brought together: one low-rank pair, one dense matrix, one gain, one bias.</summary>
/// <remarks>Two pairs become one of the sum of their ranks; output scales are folded into B, the product scale and the dense matrix.</remarks>
internal sealed class SiteEdits
{
    public SiteEdits(BaseModule module, IReadOnlyList<ModuleEdit> edits)
    {
        Replacement = edits.OfType<WeightReplacement>().SingleOrDefault();
        if (Replacement is not null && edits.Count > 1)
        {
            throw new ArgumentException($"{module.Path} is replaced and edited by the same adapter; expected one of them.", nameof(edits));
        }

        bool isTable = module.Site == Site.Embedding;
        float[]? scale = edits.OfType<OutputScale>().SingleOrDefault()?.Values;
        OutputGain = LessOne(scale);
        InputGain = LessOne(edits.OfType<InputScale>().SingleOrDefault()?.Values);
        Rotation = edits.OfType<InputRotation>().SingleOrDefault();
        if (Rotation is not null && InputGain is not null)
        {
            throw new ArgumentException($"{module.Path} has its inputs both scaled and rotated; expected one of them.", nameof(edits));
        }

        Shared = edits.OfType<SharedLowRank>().SingleOrDefault();
        ProductScale = Shared is null ? null : Product(Shared.ProductScale, scale);
        LowRank[] pairs = [.. edits.OfType<LowRank>().Where(pair => pair.Rank > 0)];
        if (Shared is not null && pairs.Length > 0)
        {
            throw new ArgumentException($"{module.Path} has a low-rank pair of its own and a shared one; expected one of them.", nameof(edits));
        }

        if (pairs.Length > 0)
        {
            LowRank pair = LowRankProduct.Stack(pairs);
            (A, B, Scale) = (pair.A, ScaleRows(pair.B, scale), pair.Scale);
        }

        FloatMatrix? dense = edits.OfType<DenseDelta>().SingleOrDefault()?.Values;
        Dense = dense is null ? null : isTable ? ScaleColumns(dense, scale) : ScaleRows(dense, scale);
        if (edits.OfType<RowsDelta>().SingleOrDefault() is { } rows)
        {
            RowDeltas = rows.Values;
            RowIds = rows.Tokens;
        }

        foreach (BiasDelta bias in edits.OfType<BiasDelta>())
        {
            Bias = Bias is null ? bias.Values : [.. Bias.Zip(bias.Values, (a, b) => a + b)];
        }
    }

    public WeightReplacement? Replacement { get; }

    public FloatMatrix? A { get; }

    public FloatMatrix? B { get; }

    public float Scale { get; } = 1;

    public SharedLowRank? Shared { get; }

    public float[]? ProductScale { get; }

    public float[]? InputGain { get; }

    public InputRotation? Rotation { get; }

    public float[]? OutputGain { get; }

    public FloatMatrix? Dense { get; }

    public float[]? Bias { get; }

    public FloatMatrix? RowDeltas { get; }

    public int[] RowIds { get; } = [];

    private static float[]? LessOne(float[]? scale) => scale is null ? null : Array.ConvertAll(scale, value => value - 1);

    private static float[] Product(float[] values, float[]? scale) => scale is null ? values : [.. values.Zip(scale, (a, b) => a * b)];

    private static FloatMatrix ScaleRows(FloatMatrix matrix, float[]? scale) => Map(matrix, scale, (row, _) => row);

    private static FloatMatrix ScaleColumns(FloatMatrix matrix, float[]? scale) => Map(matrix, scale, (_, column) => column);

    private static FloatMatrix Map(FloatMatrix matrix, float[]? scale, Func<int, int, int> index)
    {
        if (scale is null)
        {
            return matrix;
        }

        var scaled = new FloatMatrix(matrix.Rows, matrix.Columns);
        for (int i = 0; i < scaled.Values.Length; i++)
        {
            scaled.Values[i] = matrix.Values[i] * scale[index(i / matrix.Columns, i % matrix.Columns)];
        }

        return scaled;
    }
}
