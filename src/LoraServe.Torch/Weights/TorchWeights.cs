using LoraServe.Adapters.Edits;
using LoraServe.Models.Spec;

namespace LoraServe.Torch.Weights;

/// <summary>A model's weights in a device's memory. Immutable.</summary>
internal sealed class TorchWeights : IDisposable
{
    private readonly FusedMaps[] _maps;
    private readonly FusedMaps.Part[] _parts;
    private readonly Tensor[] _norms;

    /// <summary>Takes over tensors.</summary>
    /// <param name="spec">The model's shape.</param>
    /// <param name="tokenTable">[V, D].</param>
    /// <param name="positions">[positions, D]; null where positions are not learned.</param>
    /// <param name="maps">The matrices, the head's among them.</param>
    /// <param name="norms">Gains and biases in float32, as <see cref="SiteTable"/> numbers them.</param>
    /// <param name="type">What weights and activations are computed in.</param>
    public TorchWeights(TransformerSpec spec, WeightMatrix tokenTable, WeightMatrix? positions, IReadOnlyList<FusedMaps> maps, Tensor[] norms, ScalarType type)
    {
        Spec = spec;
        Sites = spec.Sites;
        TokenTable = tokenTable;
        Positions = positions;
        Type = type;
        Device = norms[0].device;
        _norms = norms;
        _maps = new FusedMaps[Sites.LinearCount];
        _parts = new FusedMaps.Part[Sites.LinearCount];
        foreach (FusedMaps fused in maps)
        {
            foreach (FusedMaps.Part part in fused.Parts)
            {
                _maps[Sites.Index(part.Site)] = fused;
                _parts[Sites.Index(part.Site)] = part;
            }
        }
    }

    /// <summary>The shape.</summary>
    public TransformerSpec Spec { get; }

    /// <summary>The numbers of its maps and norms.</summary>
    public SiteTable Sites { get; }

    /// <summary>[V, D].</summary>
    public WeightMatrix TokenTable { get; }

    /// <summary>[positions, D]; null where positions are not learned.</summary>
    public WeightMatrix? Positions { get; }

    /// <summary>What weights and activations are computed in.</summary>
    public ScalarType Type { get; }

    /// <summary>Where it lies.</summary>
    public torch.Device Device { get; }

    /// <summary>Whether the layers' maps are not what the file has, but rounded to NF4.</summary>
    public bool AreRounded { get; init; }

    /// <summary>Whether some maps are held as stored and widened for each product.</summary>
    public bool AreStored { get; init; }

    /// <summary>Bytes of all that every step reads.</summary>
    public long StepBytes =>
        _maps.Distinct().Sum(maps => maps.ByteLength) + _norms.Sum(norm => norm.NumberOfElements * norm.ElementSize) + (Spec.TiedHead ? TokenTable.ByteLength : 0);

    /// <summary>Bytes of all.</summary>
    public long ByteLength => StepBytes + (Spec.TiedHead ? 0 : TokenTable.ByteLength) + (Positions?.ByteLength ?? 0);

    /// <summary>The maps that have the same input as a map, itself among them.</summary>
    public FusedMaps Maps(Site site) => _maps[Sites.Index(site)];

    /// <summary>A map by itself.</summary>
    public FusedMaps.Part Map(Site site) => _parts[Sites.Index(site)];

    /// <summary>Gains, then biases where the model has them.</summary>
    public Tensor Norm(NormSite site) => _norms[Sites.Index(site)];

    /// <inheritdoc />
    public void Dispose()
    {
        foreach (FusedMaps maps in _maps.Distinct())
        {
            maps.Dispose();
        }

        foreach (Tensor norm in _norms)
        {
            norm.Dispose();
        }

        TokenTable.Dispose();
        Positions?.Dispose();
    }
}
