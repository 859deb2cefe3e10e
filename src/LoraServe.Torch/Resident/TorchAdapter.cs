using LoraServe.Adapters;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Folding;
using LoraServe.Adapters.Gradients;
using LoraServe.Models.Forward;
using LoraServe.Models.Spec;
using LoraServe.Torch.Weights;

namespace LoraServe.Torch.Resident;

/// <summary>An adapter in a device's memory, maps and norms found by site without a dictionary. Immutable, but for what training asks of its leaves.</summary>
internal sealed class TorchAdapter : ResidentAdapter
{
    private const int PlacesPerLayer = (int)BottleneckPlace.Mlp + 1;
    private readonly TransformerSpec _spec;
    private readonly SiteTable _sites;
    private readonly Dictionary<Site, TableEdit> _tables = [];
    private readonly ScalarType _type;
    private readonly torch.Device _device;
    private readonly SharedMatrices<Tensor> _shared;
    private readonly LinearEdit?[] _linears;
    private readonly NormEdit?[] _norms;
    private readonly BottleneckEdit?[] _bottlenecks;
    private readonly PrefixEdit?[] _prefixes;
    private long _byteLength;
    private int _maximumRank;

    /// <summary>Copies edits to the device.</summary>
    /// <param name="edits">At each site at most one edit of each kind; low-rank pairs and bias summands may be several.</param>
    /// <param name="sites">The same that are of linear maps and the token table, brought together.</param>
    /// <param name="model">The base.</param>
    /// <param name="weights">Its weights on the device.</param>
    /// <param name="shared">What resident adapters share.</param>
    /// <param name="type">What the parts are held in; norms' gains always in float32.</param>
    /// <param name="slot">Where its low-rank pairs lie with others'; null: by themselves, as leaves for training. Becomes its own.</param>
    /// <param name="room">What the rest takes of the device's memory; becomes its own once it is made.</param>
    /// <param name="digest">What tells it from other adapters.</param>
    /// <param name="invocationTokens">Tokens that activate it; empty: always active.</param>
    public TorchAdapter(
        IReadOnlyList<AdapterEdit> edits,
        IReadOnlyList<SiteEdits> sites,
        IBaseModel model,
        TorchWeights weights,
        SharedMatrices<Tensor> shared,
        ScalarType type,
        AdapterArenas.Slot? slot,
        IDisposable room,
        string digest,
        ReadOnlySpan<int> invocationTokens)
        : base(edits, digest, invocationTokens)
    {
        _spec = weights.Spec;
        _sites = weights.Sites;
        _type = type;
        _device = weights.Device;
        _shared = shared;
        _linears = new LinearEdit?[_sites.LinearCount];
        _norms = new NormEdit?[_sites.NormCount];
        _bottlenecks = new BottleneckEdit?[model.LayerCount * PlacesPerLayer];
        _prefixes = new PrefixEdit?[model.LayerCount];
        VirtualRows = VirtualRowCount.Of(edits);
        Slot = slot is null ? null : Own(slot);
        using DisposeScope scope = torch.NewDisposeScope();
        using IDisposable noGrad = torch.no_grad();
        try
        {
            foreach (SiteEdits site in sites)
            {
                Place(site.Module, site);
            }

            foreach (AdapterEdit edit in edits)
            {
                Place(edit);
            }

            Own(room);
        }
        catch
        {
            Dispose(disposing: true);
            throw;
        }
    }

    /// <summary>Where its low-rank pairs lie with those of others; null where they lie by themselves.</summary>
    public AdapterArenas.Slot? Slot { get; }

    /// <inheritdoc />
    public override long ByteLength => _byteLength;

    /// <inheritdoc />
    public override int MaximumRank => _maximumRank;

    /// <inheritdoc />
    public override int VirtualRows { get; }

    /// <inheritdoc />
    public override bool HasVirtualEmbeddings => VirtualEmbeddings is not null;

    /// <summary>What it does to the rows of a table; null: nothing.</summary>
    public TableEdit? AtTable(Site site) => _tables.GetValueOrDefault(site);

    /// <summary>Embeddings of the rows ahead of the prompt, [virtual rows, D]; null where there are none or they are a prefix.</summary>
    public Tensor? VirtualEmbeddings { get; private set; }

    /// <summary>What it does at a linear map; null: nothing.</summary>
    public LinearEdit? At(Site site) => _linears[_sites.Index(site)];

    /// <summary>What it does at a norm; null: nothing.</summary>
    public NormEdit? At(NormSite site) => _norms[_sites.Index(site)];

    /// <summary>What it adds after a sublayer; null: nothing.</summary>
    public BottleneckEdit? At(int layer, BottleneckPlace place) => _bottlenecks[(layer * PlacesPerLayer) + (int)place];

    /// <summary>Keys and values that its virtual rows have in a layer; null: those that the model computes.</summary>
    public PrefixEdit? PrefixAt(int layer) => _prefixes[layer];

    /// <summary>Its trained parts, each with where its derivative goes.</summary>
    /// <exception cref="InvalidOperationException">It lies among others, to be served.</exception>
    public IEnumerable<(Tensor Leaf, GradientMatrix Gradient)> Leaves(EditGradients gradients)
    {
        if (Slot is not null)
        {
            throw new InvalidOperationException($"the adapter {Digest} was placed to be served; expected one that was placed without a digest, to be trained.");
        }

        IEnumerable<(Tensor? Leaf, GradientMatrix? Gradient)> pairs =
        [
            (VirtualEmbeddings, gradients.VirtualEmbeddings),
            .. _tables.SelectMany(table => gradients.AtTable(table.Key) is { } gradient ? Leaves(table.Value, gradient) : []),
            .. _sites.Linears.SelectMany(site => At(site) is { } edit && gradients.At(site) is { } gradient ? Leaves(edit, gradient) : []),
            .. _sites.Norms.Select(site => (At(site)?.Values, gradients.At(site)?.Parameters)),
            .. Enumerable.Range(0, _prefixes.Length).SelectMany(LeavesOfLayer),
        ];
        return pairs.Where(pair => pair is { Leaf: not null, Gradient: not null }).Select(pair => (pair.Leaf!, pair.Gradient!));

        IEnumerable<(Tensor?, GradientMatrix?)> LeavesOfLayer(int layer)
        {
            yield return (PrefixAt(layer)?.Keys, gradients.PrefixAt(layer)?.Keys);
            yield return (PrefixAt(layer)?.Values, gradients.PrefixAt(layer)?.Values);
            foreach (BottleneckPlace place in Enum.GetValues<BottleneckPlace>())
            {
                (BottleneckEdit? edit, BottleneckGradient? gradient) = (At(layer, place), gradients.At(layer, place));
                yield return (edit?.Down, gradient?.Down);
                yield return (edit?.DownBias, gradient?.DownBias);
                yield return (edit?.Up, gradient?.Up);
                yield return (edit?.UpBias, gradient?.UpBias);
                yield return (edit?.Scale, gradient?.Scale);
            }
        }
    }

    private static IEnumerable<(Tensor?, GradientMatrix?)> Leaves(TableEdit edit, TableGradient gradient) =>
    [
        (edit.Replacement, gradient.Replacement),
        (edit.Codes, gradient.Codes),
        (edit.Directions, gradient.Directions),
        (edit.Table, gradient.Table),
        (edit.RowDeltas, gradient.RowDeltas),
    ];

    private static IEnumerable<(Tensor?, GradientMatrix?)> Leaves(LinearEdit edit, LinearEditGradient gradient) =>
    [
        (edit.Replacement, gradient.Replacement),
        (edit.ReplacedBias ?? edit.Bias, gradient.Bias),
        (edit.A, gradient.A),
        (edit.B, gradient.B),
        (edit.RankScale, gradient.RankScale),
        (edit.ProductScale, gradient.ProductScale),
        (edit.OutputGain, gradient.OutputGain),
        (edit.InputGain, gradient.InputGain),
        (edit.Dense, gradient.Dense),
        (edit.RowDeltas, gradient.RowDeltas),
        .. edit.Rotation.Zip(gradient.Rotation, (factor, derivative) => ((Tensor?)factor.Changes, (GradientMatrix?)derivative)),
    ];

    private void Place(BaseModule module, SiteEdits edits)
    {
        bool isTable = module.Site.IsTable;
        if (edits.Replacement is { } replacement)
        {
            if (isTable)
            {
                _tables[module.Site] = new TableEdit { Replacement = Copy(replacement.Weight) };
            }
            else
            {
                _linears[_sites.Index(module.Site)] = new LinearEdit { Replacement = Copy(replacement.Weight), ReplacedBias = Copy(replacement.Bias) };
            }
        }
        else if (isTable)
        {
            PlaceTable(module, edits);
        }
        else
        {
            PlaceLinear(module, edits);
        }
    }

    private void PlaceTable(BaseModule module, SiteEdits edits)
    {
        long[]? rowOfToken = null;
        if (edits.RowDeltas is not null)
        {
            rowOfToken = new long[module.Outputs];
            Array.Fill(rowOfToken, edits.RowIds.Count);
            for (int i = 0; i < edits.RowIds.Count; i++)
            {
                rowOfToken[edits.RowIds[i]] = i;
            }
        }

        _tables[module.Site] = new TableEdit
        {
            Codes = Copy(edits.Codes),
            RankScalings = Places(edits.RankScalings),
            Directions = Copy(edits.Directions),
            OutputGain = Copy(edits.OutputGain),
            Table = Copy(edits.Dense),
            RowDeltas = Copy(edits.RowDeltas),
            RowOfToken = Copy(rowOfToken),
        };
    }

    private void PlaceLinear(BaseModule module, SiteEdits edits)
    {
        bool isInSlot = Slot is not null && ArenaShape.IsPair(edits);
        (Tensor? a, Tensor? b) = isInSlot ? WriteSlot(edits)
            : edits.Shared is { } shared ? (Share(shared.A, shared.Rank, module.Inputs), Share(shared.B, module.Outputs, shared.Rank))
            : (Copy(edits.A), Copy(edits.B));
        _maximumRank = Math.Max(_maximumRank, (int)(a?.shape[0] ?? 0));
        _linears[_sites.Index(module.Site)] = new LinearEdit
        {
            A = a,
            B = b,
            IsInSlot = isInSlot,
            Scale = isInSlot ? 1 : edits.Scale,
            InputGain = Copy(edits.InputGain),
            Rotation = [.. (edits.Rotation?.Factors ?? []).Select(Copy)],
            RankScale = Copy(edits.Shared?.RankScale),
            RankScalings = Places(edits.RankScalings),
            ProductScale = Copy(edits.ProductScale),
            OutputGain = Copy(edits.OutputGain),
            Dense = Copy(edits.Dense),
            Bias = Copy(edits.Bias),
            RowDeltas = Copy(edits.RowDeltas),
            RowIds = edits.RowDeltas is null ? null : Copy([.. edits.RowIds.Select(id => (long)id)]),
        };
    }

    private (Tensor A, Tensor B) WriteSlot(SiteEdits edits)
    {
        (Tensor a, Tensor transposedB) = Slot!.Arena.Write(Slot.Index, edits);
        return (Keep(a), Keep(transposedB.t()));
    }

    private RotationFactor Copy(BlockRotation factor)
    {
        if (factor.Order.Length == 0)
        {
            return new RotationFactor(Copy(factor.Changes), factor.Size, null, null);
        }

        long[] places = new long[factor.Order.Length];
        for (int place = 0; place < places.Length; place++)
        {
            places[factor.Order[place]] = place;
        }

        return new RotationFactor(Copy(factor.Changes), factor.Size, Copy(Array.ConvertAll(factor.Order, input => (long)input)), Copy(places));
    }

    private void Place(AdapterEdit edit)
    {
        switch (edit)
        {
            case NormDelta norm:
                _norms[_sites.Index(norm.Site)] = new NormEdit(Copy(norm.Values, ScalarType.Float32), Replaces: false);
                break;
            case NormReplacement norm:
                _norms[_sites.Index(norm.Site)] = new NormEdit(Copy(_spec.Gains(norm.Site, norm.Values), ScalarType.Float32), Replaces: true);
                break;
            case VirtualTokens tokens:
                VirtualEmbeddings = Copy(tokens.Rows);
                break;
            case PrefixKeyValue prefix:
                _prefixes[prefix.Layer] = new PrefixEdit(Copy(prefix.Keys), Copy(prefix.Values));
                break;
            case Bottleneck bottleneck:
                _bottlenecks[(bottleneck.Layer * PlacesPerLayer) + (int)bottleneck.Place] = Copy(bottleneck);
                break;
        }
    }

    private BottleneckEdit Copy(Bottleneck edit) =>
        new(edit.Input, edit.Activation, Copy(edit.Down), Copy(edit.DownBias), Copy(edit.Up), Copy(edit.UpBias), Copy(edit.ScaleOfWidth()))
        {
            NormGain = Copy(edit.Norm?.Gain),
            NormBias = Copy(edit.Norm?.Bias),
            NormCoversSublayer = edit.Norm?.CoversSublayer == true,
        };

    private Tensor Share(SharedMatrix matrix, int rows, int columns) => Own(_shared.Rent(
        matrix, rows, columns, $"{_type}", corner => torch.tensor(corner.Values, corner.Rows, corner.Columns, dtype: _type, device: _device).DetachFromDisposeScope()));

    [return: System.Diagnostics.CodeAnalysis.NotNullIfNotNull(nameof(matrix))]
    private Tensor? Copy(FloatMatrix? matrix) =>
        matrix is null ? null : Keep(torch.tensor(matrix.Values, matrix.Rows, matrix.Columns, dtype: _type, device: _device));

    [return: System.Diagnostics.CodeAnalysis.NotNullIfNotNull(nameof(values))]
    private Tensor? Copy(float[]? values) => values is null ? null : Copy(values, _type);

    private Tensor Copy(float[] values, ScalarType type) => Keep(torch.tensor(values, dtype: type, device: _device));

    [return: System.Diagnostics.CodeAnalysis.NotNullIfNotNull(nameof(values))]
    private Tensor? Copy(long[]? values) => values is null ? null : Keep(torch.tensor(values, device: _device));

    private Tensor? Places(int[]? places) => Copy(places is null ? null : Array.ConvertAll(places, place => (long)place));

    private Tensor Keep(Tensor tensor)
    {
        Own(tensor.DetachFromDisposeScope());
        _byteLength += tensor.NumberOfElements * tensor.ElementSize;
        return tensor;
    }
}
