using System.Numerics.Tensors;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.LinearAlgebra;

namespace LoraServe.Adapters.Merging;

/// <summary>A base model with an adapter merged into its weights, row by row as they are asked for.</summary>
public sealed class MergedModel : IBaseModel
{
    private readonly IBaseModel _model;
    private readonly float _weight;
    private readonly ILookup<Site, ModuleEdit> _edits;
    private readonly Dictionary<NormSite, float[]> _norms;

    private MergedModel(IBaseModel model, Adapter adapter, float weight)
    {
        _model = model;
        _weight = weight;
        _edits = adapter.Edits.OfType<ModuleEdit>().ToLookup(edit => edit.Site);
        _norms = adapter.Edits.OfType<NormDelta>().ToDictionary(edit => edit.Site, edit => edit.Values);
        TiedHead = model.TiedHead && !_edits.Contains(Site.Head) && !_edits.Contains(Site.Embedding);
        Fingerprint = $"{model.Fingerprint}+{adapter.Digest}";
    }

    /// <inheritdoc />
    public IReadOnlyList<BaseModule> Modules => _model.Modules;

    /// <inheritdoc />
    public IReadOnlyList<BaseNorm> Norms => _model.Norms;

    /// <inheritdoc />
    public int LayerCount => _model.LayerCount;

    /// <inheritdoc />
    public int Width => _model.Width;

    /// <inheritdoc />
    public int KeyWidth => _model.KeyWidth;

    /// <inheritdoc />
    public int HeadSize => _model.HeadSize;

    /// <inheritdoc />
    public string Architecture => _model.Architecture;

    /// <inheritdoc />
    public string? ModelClass => _model.ModelClass;

    /// <inheritdoc />
    public int VocabularySize => _model.VocabularySize;

    /// <summary>Whether the head still is the token table: false where the adapter edits either of them.</summary>
    public bool TiedHead { get; }

    /// <inheritdoc />
    public string Fingerprint { get; }

    /// <summary>Merges an adapter into a base.</summary>
    /// <param name="model">The base.</param>
    /// <param name="adapter">Loaded on it.</param>
    /// <param name="weight">Factor of every change.</param>
    /// <exception cref="MergeException">The adapter cannot be merged: it is active only in a part of the sequence, adds a bias where the base has none, or is no change of weights.</exception>
    public static MergedModel Create(IBaseModel model, Adapter adapter, float weight = 1)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(adapter);
        if (adapter.InvocationTokens.Length > 0)
        {
            throw new MergeException("The adapter is active only after its invocation tokens (aLoRA); it cannot be merged. Serve it beside the base.");
        }

        if (adapter.Edits.FirstOrDefault(edit => edit is not (ModuleEdit or NormDelta)) is { } other)
        {
            throw new MergeException($"The adapter's method, {adapter.Report.Method}, brings in {Describe(other)}, which is no change of a weight; it cannot be merged. Serve it beside the base.");
        }

        foreach (BiasDelta bias in adapter.Edits.OfType<BiasDelta>())
        {
            if (model.Modules.First(module => module.Site == bias.Site) is { HasBias: false } module)
            {
                throw new MergeException($"The adapter adds a bias at {module.Path}, where the base has none; it cannot be merged. Serve it beside the base.");
            }
        }

        return new MergedModel(model, adapter, weight);
    }

    /// <inheritdoc />
    public void CopyWeightRow(Site site, int row, Span<float> destination)
    {
        _model.CopyWeightRow(site, row, destination);
        if (!_edits.Contains(site))
        {
            return;
        }

        // As in compute: what is done to the outputs finds the input changed already.
        float[] changed = destination.ToArray();
        if (_edits[site].OfType<InputScale>().SingleOrDefault() is { } input)
        {
            TensorPrimitives.Multiply(changed, input.Values, changed);
        }

        _edits[site].OfType<InputRotation>().SingleOrDefault()?.ApplyToWeight(changed);
        TensorPrimitives.Subtract(changed, destination, changed);
        TensorPrimitives.MultiplyAdd(changed, _weight, destination, destination);
        destination.CopyTo(changed);

        float[]? scale = null;
        foreach (ModuleEdit edit in _edits[site])
        {
            switch (edit)
            {
                case LowRank pair when site.IsTable:
                    LowRankProduct.AddTableRow(changed, pair, row);
                    break;
                case LowRank pair:
                    LowRankProduct.AddRow(changed, pair.A, pair.B.Row(row), pair.Scale);
                    break;
                case SharedLowRank shared:
                    AddSharedRow(changed, shared, row);
                    break;
                case DenseDelta dense:
                    TensorPrimitives.Add(changed, dense.Values.Row(row), changed);
                    break;
                case OutputScale output:
                    scale = output.Values;
                    break;
            }
        }

        if (scale is not null && site.IsTable)
        {
            TensorPrimitives.Multiply(changed, scale, changed);
        }
        else if (scale is not null)
        {
            TensorPrimitives.Multiply(changed, scale[row], changed);
        }

        foreach (RowsDelta rows in _edits[site].OfType<RowsDelta>())
        {
            if (Array.BinarySearch(rows.Tokens, row) is >= 0 and int place)
            {
                TensorPrimitives.Add(changed, rows.Values.Row(place), changed);
            }
        }

        TensorPrimitives.Subtract(changed, destination, changed);
        TensorPrimitives.MultiplyAdd(changed, _weight, destination, destination);
    }

    /// <inheritdoc />
    public void CopyBias(Site site, Span<float> destination)
    {
        _model.CopyBias(site, destination);
        foreach (BiasDelta bias in _edits[site].OfType<BiasDelta>())
        {
            TensorPrimitives.MultiplyAdd(bias.Values, _weight, destination, destination);
        }
    }

    /// <inheritdoc />
    public void CopyNorm(NormSite site, Span<float> destination)
    {
        _model.CopyNorm(site, destination);
        if (_norms.TryGetValue(site, out float[]? delta))
        {
            TensorPrimitives.MultiplyAdd(delta, _weight, destination, destination);
        }
    }

    // (b∘B·(d∘A))[row] = Σ b[row]·B[row, k]·d[k]·A[k].
    private static void AddSharedRow(Span<float> target, SharedLowRank shared, int row)
    {
        ReadOnlySpan<float> b = shared.B.Values.Row(row);
        for (int k = 0; k < b.Length; k++)
        {
            TensorPrimitives.MultiplyAdd(shared.A.Values.Row(k)[..target.Length], shared.ProductScale[row] * b[k] * shared.RankScale[k], target, target);
        }
    }

    private static string Describe(AdapterEdit edit) => edit switch
    {
        VirtualTokens => "virtual tokens",
        PrefixKeyValue => "keys and values ahead of the prompt",
        ScalingClassifier => "a classifier that scales its changes for each token",
        _ => "layers of its own",
    };
}
