using LoraServe.Adapters;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Folding;
using LoraServe.Compute.Matrices;
using LoraServe.Compute.Memory;
using LoraServe.Models;
using LoraServe.Models.Forward;
using LoraServe.Models.Spec;

namespace LoraServe.Cpu.Resident;

/// <summary>An adapter in compute form: native memory, immutable, found by site without a dictionary.</summary>
internal sealed class CpuAdapter : ResidentAdapter
{
    private const int PlacesPerLayer = (int)BottleneckPlace.Mlp + 1;
    private static readonly SharedMatrices<PackedMatrix> s_shared = new(matrix => matrix.ByteLength);
    private readonly SiteTable _sites;
    private readonly LinearEdit?[] _linears;
    private readonly NormEdit?[] _norms;
    private readonly BottleneckEdit?[] _bottlenecks;
    private readonly PrefixEdit?[] _prefixes;
    private readonly TransformerSpec _spec;
    private TableEdit? _embedding;
    private TableEdit? _positions;
    private long _byteLength;

    /// <summary>Copies edits into compute form.</summary>
    /// <param name="edits">At each site at most one edit of each kind; low-rank pairs and bias summands may be several.</param>
    /// <param name="model">The base.</param>
    /// <param name="sites">Its linear maps and norms.</param>
    /// <param name="digest">What tells it from other adapters.</param>
    /// <param name="invocationTokens">Tokens that activate it; empty: always active.</param>
    public CpuAdapter(IReadOnlyList<AdapterEdit> edits, Transformer model, SiteTable sites, string digest, ReadOnlySpan<int> invocationTokens)
        : base(edits, digest, invocationTokens)
    {
        _spec = model.Spec;
        _sites = sites;
        _linears = new LinearEdit?[_sites.LinearCount];
        _norms = new NormEdit?[_sites.NormCount];
        _bottlenecks = new BottleneckEdit?[model.LayerCount * PlacesPerLayer];
        _prefixes = new PrefixEdit?[model.LayerCount];
        VirtualRows = VirtualRowCount.Of(edits);
        try
        {
            foreach (SiteEdits site in SiteEdits.Of(edits, model))
            {
                Place(site.Module, site);
            }

            foreach (AdapterEdit edit in edits)
            {
                Place(edit);
            }
        }
        catch
        {
            Dispose(disposing: true);
            throw;
        }
    }

    /// <inheritdoc />
    public override long ByteLength => _byteLength + (Classifier?.ByteLength ?? 0);

    /// <inheritdoc />
    public override int MaximumRank => _linears.Max(edit => edit?.Rank ?? 0);

    /// <inheritdoc />
    public override int VirtualRows { get; }

    /// <inheritdoc />
    public override bool HasVirtualEmbeddings => VirtualEmbeddings != 0;

    /// <summary>What it does to the rows of a table; null: nothing.</summary>
    public TableEdit? AtTable(Site site) => site.Role == SiteRole.Embedding ? _embedding : _positions;

    /// <summary>Embeddings of the rows ahead of the prompt, float32 [virtual rows, width]; 0 where there are none or they are a prefix.</summary>
    public nint VirtualEmbeddings { get; private set; }

    /// <summary>What it does at a linear map; null: nothing.</summary>
    public LinearEdit? At(Site site) => _linears[_sites.Index(site)];

    /// <summary>What it does at a norm; null: nothing.</summary>
    public NormEdit? At(NormSite site) => _norms[_sites.Index(site)];

    /// <summary>What it adds after a sublayer; null: nothing.</summary>
    public BottleneckEdit? At(int layer, BottleneckPlace place) => _bottlenecks[(layer * PlacesPerLayer) + (int)place];

    /// <summary>Keys and values that its virtual rows have in a layer; null: those that the model computes.</summary>
    public PrefixEdit? PrefixAt(int layer) => _prefixes[layer];

    private void Place(BaseModule module, SiteEdits edits)
    {
        if (edits.Replacement is { } replacement)
        {
            Replace(module, replacement);
            return;
        }

        if (module.Site.IsTable)
        {
            TableOf(module) = new TableEdit(module.Inputs, edits.A?.Rows ?? 0, [.. edits.RowIds])
            {
                Codes = Copy(edits.Codes?.Values),
                RankScalings = Copy(edits.RankScalings),
                Directions = Copy(edits.Directions?.Values),
                OutputGain = Copy(edits.OutputGain),
                Table = Copy(edits.Dense?.Values),
                RowDeltas = Copy(edits.RowDeltas?.Values),
            };
            return;
        }

        (PackedMatrix? a, PackedMatrix? b) = edits.Shared is { } shared
            ? (Share(shared.A, shared.Rank, module.Inputs), Share(shared.B, module.Outputs, shared.Rank))
            : (Pack(edits.A), Pack(edits.B));
        _linears[_sites.Index(module.Site)] = new LinearEdit(a, b, edits.Scale, [.. edits.RowIds])
        {
            InputGain = Copy(edits.InputGain),
            Rotation = edits.Rotation is { } rotation ? [.. rotation.Factors.Select(Place)] : [],
            RankScale = Copy(edits.Shared?.RankScale),
            RankScalings = Copy(edits.RankScalings),
            ProductScale = Copy(edits.ProductScale),
            OutputGain = Copy(edits.OutputGain),
            Dense = Pack(edits.Dense),
            Bias = Copy(edits.Bias),
            RowDeltas = Pack(edits.RowDeltas),
        };
    }

    private void Replace(BaseModule module, WeightReplacement edit)
    {
        PackedMatrix weight = Borrow(edit.Weight);
        if (module.Site.IsTable)
        {
            TableOf(module) = new TableEdit(module.Inputs, 0, []) { Replacement = weight };
        }
        else
        {
            _linears[_sites.Index(module.Site)] = new LinearEdit(null, null, 1, []) { Replacement = weight, ReplacedBias = Copy(edit.Bias) };
        }
    }

    private ref TableEdit? TableOf(BaseModule module) => ref module.Site == Site.Embedding ? ref _embedding : ref _positions;

    private RotationFactor Place(BlockRotation factor) => new(Copy(factor.Changes.Values), factor.Size, factor.Order.Length == 0 ? 0 : Copy(factor.Order));

    private void Place(AdapterEdit edit)
    {
        switch (edit)
        {
            case NormDelta norm:
                _norms[_sites.Index(norm.Site)] = new NormEdit(Copy(norm.Values), norm.Values.Length);
                break;
            case NormReplacement norm:
                _norms[_sites.Index(norm.Site)] = new NormEdit(Copy(_spec.Gains(norm.Site, norm.Values)), norm.Values.Length, Replaces: true);
                break;
            case VirtualTokens tokens:
                VirtualEmbeddings = Copy(tokens.Rows.Values);
                break;
            case PrefixKeyValue prefix:
                _prefixes[prefix.Layer] = new PrefixEdit(Copy(prefix.Keys.Values), Copy(prefix.Values.Values), prefix.Keys.Columns);
                break;
            case Bottleneck bottleneck:
                _bottlenecks[(bottleneck.Layer * PlacesPerLayer) + (int)bottleneck.Place] = Place(bottleneck);
                break;
        }
    }

    private BottleneckEdit Place(Bottleneck edit) =>
        new(edit.Input, edit.Activation, Pack(edit.Down), Copy(edit.DownBias), Pack(edit.Up), Copy(edit.UpBias), Copy(edit.ScaleOfWidth()))
        {
            NormGain = Copy(edit.Norm?.Gain),
            NormBias = Copy(edit.Norm?.Bias),
            NormCoversSublayer = edit.Norm?.CoversSublayer == true,
        };

    private PackedMatrix Share(SharedMatrix matrix, int rows, int columns) =>
        Own(s_shared.Rent(matrix, rows, columns, form: "", corner => PackedMatrix.FromFloats(corner.Values, corner.Rows, corner.Columns)));

    [return: System.Diagnostics.CodeAnalysis.NotNullIfNotNull(nameof(matrix))]
    private PackedMatrix? Pack(FloatMatrix? matrix)
    {
        if (matrix is null)
        {
            return null;
        }

        PackedMatrix packed = Own(PackedMatrix.FromFloats(matrix.Values, matrix.Rows, matrix.Columns));
        _byteLength += packed.ByteLength;
        return packed;
    }

    /// <summary>A matrix where it lies.</summary>
    private PackedMatrix Borrow(FloatMatrix matrix)
    {
        PinnedArray pinned = Own(new PinnedArray(matrix.Values));
        return PackedMatrix.Over(new Rows(pinned.Pointer, matrix.Rows, matrix.Columns, matrix.Columns));
    }

    private unsafe nint Copy<T>(T[]? values)
        where T : unmanaged
    {
        if (values is null)
        {
            return 0;
        }

        NativeBuffer buffer = Own(new NativeBuffer(values.LongLength * sizeof(T)));
        _byteLength += buffer.ByteLength;
        values.CopyTo(new Span<T>(buffer.Pointer, values.Length));
        return (nint)buffer.Pointer;
    }
}
