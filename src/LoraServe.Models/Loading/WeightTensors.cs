using LoraServe.Adapters.Edits;
using LoraServe.Compute.Tensors;

namespace LoraServe.Models.Loading;

/// <summary>The tensors that a model needs, found and checked against its spec before anything is packed or allocated for them.</summary>
internal sealed class WeightTensors
{
    private readonly ModelSource _source;
    private readonly Dictionary<Site, (Tensor Weight, Tensor? Bias)> _linears = [];
    private readonly Dictionary<NormSite, Tensor> _norms = [];

    public WeightTensors(ModelSource source)
    {
        _source = source;
        TransformerSpec spec = source.Spec;
        Add(Site.Embedding);
        foreach (NormSite norm in spec.Sites.Norms)
        {
            Add(norm);
        }

        foreach (Site linear in spec.Sites.Linears.Where(site => site != Site.Head || !spec.TiedHead))
        {
            Add(linear);
        }
    }

    /// <summary>Every tensor.</summary>
    public IEnumerable<Tensor> All => _norms.Values.Concat(_linears.Values.Select(linear => linear.Weight)).Concat(_linears.Values.Select(linear => linear.Bias).OfType<Tensor>());

    /// <summary>Every linear map with its weight and bias; the head also where it is the table.</summary>
    public IEnumerable<(Site Site, Tensor Weight, Tensor? Bias)> Linears =>
        _linears.Where(entry => entry.Key != Site.Embedding).Select(entry => (entry.Key, entry.Value.Weight, entry.Value.Bias))
            .Concat(_source.Spec.TiedHead ? [(Site.Head, TokenTable, null)] : []);

    /// <summary>The token table.</summary>
    public Tensor TokenTable => _linears[Site.Embedding].Weight;

    /// <summary>A norm's gains.</summary>
    public Tensor Norm(NormSite site) => _norms[site];

    private void Add(Site site)
    {
        (int outputs, int inputs) = _source.Spec.Shape(site.Role);
        string name = _source.Names.Of(site);
        Tensor? bias = _source.Spec.Biases.Contains(site.Role) ? Find(name + ".bias", outputs) : null;
        _linears.Add(site, (Find(name + ".weight", outputs, inputs), bias));
    }

    private void Add(NormSite site) => _norms.Add(site, Find(_source.Names.Of(site) + ".weight", _source.Spec.Width));

    private Tensor Find(string name, params ReadOnlySpan<long> shape)
    {
        Tensor tensor = _source.FindTensor(name)
            ?? throw new ModelFormatException(_source.Path, $"tensor '{name}' is missing; expected shape {Text(shape)}");
        if (!tensor.Shape.AsSpan().SequenceEqual(shape))
        {
            throw new ModelFormatException(_source.Path, $"tensor {tensor} has the wrong shape; expected {Text(shape)} by the configuration");
        }

        return ElementTypes.Weights.Contains(tensor.Type)
            ? tensor
            : throw new ModelFormatException(_source.Path, $"tensor {tensor} is not of a type for weights; supported are {string.Join(", ", ElementTypes.Weights)}");
    }

    private static string Text(ReadOnlySpan<long> shape) => $"[{string.Join(", ", shape.ToArray())}]";
}
