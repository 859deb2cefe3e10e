using LoraServe.Adapters.Edits;
using LoraServe.Adapters.LinearAlgebra;

namespace LoraServe.Adapters.Folding;

/// <summary>The edits of one module brought together: one low-rank pair, one dense matrix, one gain, one bias.</summary>
/// <remarks>Two pairs become one of the sum of their ranks; output scales are folded into B, the product scale and the dense matrix.</remarks>
public sealed class SiteEdits
{
    private readonly int[] _rowIds = [];

    private SiteEdits(BaseModule module, IReadOnlyList<ModuleEdit> edits)
    {
        Module = module;
        Replacement = edits.OfType<WeightReplacement>().SingleOrDefault();
        if (Replacement is not null && edits.Count > 1)
        {
            throw new ArgumentException($"{module.Path} is replaced and edited by the same adapter; expected one of them.", nameof(edits));
        }

        bool isTable = module.Site.IsTable;
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

        RoutedLowRank[] routed = [.. edits.OfType<RoutedLowRank>().Where(pair => pair.Rank > 0)];
        if (routed.Length > 0)
        {
            if (pairs.Length > 0 || Shared is not null)
            {
                throw new ArgumentException($"{module.Path} has low-rank pairs with scalings of rows and without; expected one of them.", nameof(edits));
            }

            pairs = [.. routed.Select(pair => pair.Pair)];
            RankScalings = [.. routed.SelectMany(pair => Enumerable.Repeat(pair.Scaling, pair.Rank))];
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
            _rowIds = rows.Tokens;
        }

        foreach (BiasDelta bias in edits.OfType<BiasDelta>())
        {
            Bias = Bias is null ? bias.Values : [.. Bias.Zip(bias.Values, (a, b) => a + b)];
        }
    }

    /// <summary>The module that they edit.</summary>
    public BaseModule Module { get; }

    /// <summary>What takes the base's place, which is then all; null where nothing does.</summary>
    public WeightReplacement? Replacement { get; }

    /// <summary>[rank, inputs]; null without a low-rank part of its own.</summary>
    public FloatMatrix? A { get; }

    /// <summary>[outputs, rank], output scales folded in; null without a low-rank part of its own.</summary>
    public FloatMatrix? B { get; }

    /// <summary>Factor of B·A.</summary>
    public float Scale { get; } = 1;

    /// <summary>For each rank which of a row's scalings it is multiplied by; null: none, see <see cref="RoutedLowRank"/>.</summary>
    public int[]? RankScalings { get; }

    /// <summary>At the token table: Aᵀ, [tokens, rank]; null without a low-rank part.</summary>
    public FloatMatrix? Codes => A?.Transposed();

    /// <summary>At the token table: Bᵀ with its scale and output scales folded in, [rank, width]; null without a low-rank part.</summary>
    public FloatMatrix? Directions =>
        B is null ? null : new FloatMatrix(B.Columns, B.Rows, Array.ConvertAll(B.Transposed().Values, value => value * Scale));

    /// <summary>The pair that is shared with other adapters; null without one.</summary>
    public SharedLowRank? Shared { get; }

    /// <summary>Factors of the shared pair's outputs, output scales folded in, [outputs]; null without one.</summary>
    public float[]? ProductScale { get; }

    /// <summary>Input scale less one, [inputs]; null without one.</summary>
    public float[]? InputGain { get; }

    /// <summary>Rotation of the input; null without one.</summary>
    public InputRotation? Rotation { get; }

    /// <summary>Output scale less one, [outputs]; null without one.</summary>
    public float[]? OutputGain { get; }

    /// <summary>A whole ΔW, [outputs, inputs], output scales folded in; null without one.</summary>
    public FloatMatrix? Dense { get; }

    /// <summary>Summand of the outputs, [outputs]; null without one.</summary>
    public float[]? Bias { get; }

    /// <summary>Changes of single rows, [rows, inputs]; null without any.</summary>
    public FloatMatrix? RowDeltas { get; }

    /// <summary>The tokens whose rows <see cref="RowDeltas"/> changes, ascending.</summary>
    public IReadOnlyList<int> RowIds => _rowIds;

    /// <summary>Brings an adapter's edits together, module by module in the model's order, and checks the shapes of all of them.</summary>
    /// <param name="edits">At each site at most one edit of each kind; low-rank pairs and bias summands may be several.</param>
    /// <param name="model">The base.</param>
    /// <exception cref="ArgumentException">Edits that cannot be together, or of a shape that the base has not.</exception>
    public static IReadOnlyList<SiteEdits> Of(IReadOnlyList<AdapterEdit> edits, IBaseModel model)
    {
        ArgumentNullException.ThrowIfNull(edits);
        ArgumentNullException.ThrowIfNull(model);
        foreach (AdapterEdit edit in edits)
        {
            EditShapes.Check(edit, model);
        }

        ILookup<Site, ModuleEdit> bySite = edits.OfType<ModuleEdit>().ToLookup(edit => edit.Site);
        return [.. model.Modules.Where(module => bySite.Contains(module.Site)).Select(module => Of(module, [.. bySite[module.Site]]))];
    }

    private static SiteEdits Of(BaseModule module, ModuleEdit[] edits)
    {
        foreach (ModuleEdit edit in edits)
        {
            EditShapes.Check(edit, module);
        }

        return new SiteEdits(module, edits);
    }

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
