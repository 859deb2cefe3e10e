using LoraServe.Adapters;
using LoraServe.Adapters.Edits;
using LoraServe.Compute.Tensors;
using LoraServe.Models.Config;
using LoraServe.Models.Loading;
using LoraServe.Models.Spec;

namespace LoraServe.Models;

/// <summary>
/// A model's weights where they lie in its mapped files, found and checked against its spec: what a device loads from, before anything
/// is allocated. Disposing unmaps the files.
/// </summary>
public sealed class ModelWeights : IDisposable
{
    private readonly Dictionary<Site, (Tensor Weight, Tensor? Bias)> _linears;
    private readonly Dictionary<NormSite, Tensor> _norms;
    private readonly bool _interleavedRows;
    private readonly IDisposable _files;

    internal ModelWeights(ModelSource source)
    {
        Spec = source.Spec;
        _interleavedRows = source.InterleavedRows;
        _files = source.Files;
        _linears = Spec.Sites.Linears.Where(site => site != Site.Head || !Spec.TiedHead).Append(Site.Embedding).ToDictionary(site => site, site => Find(source, site));
        _norms = Spec.Sites.Norms.ToDictionary(site => site, site => Find(source, source.Names.Of(site) + ".weight", source.Spec.Width));
        Fingerprint = Loading.Fingerprint.Of(Spec, All);
        (Modules, Norms) = Listed(source.Architecture.HuggingFaceNames);
    }

    /// <summary>Weights that lie in memory.</summary>
    internal ModelWeights(
        TransformerSpec spec, string fingerprint, ParameterNames names, Dictionary<Site, (Tensor Weight, Tensor? Bias)> linears, Dictionary<NormSite, Tensor> norms)
    {
        Spec = spec;
        Fingerprint = fingerprint;
        _linears = linears;
        _norms = norms;
        _files = new MemoryStream();
        (Modules, Norms) = Listed(names);
    }

    /// <summary>The shape.</summary>
    public TransformerSpec Spec { get; }

    /// <summary>What tells this model from another of the same shape.</summary>
    /// <remarks>SHA-256 over the spec and, for every tensor used, name, type, shape and a sample of its bytes; in hexadecimal.</remarks>
    public string Fingerprint { get; }

    /// <summary>Every linear map, the head (also where it is tied) and the token table, by Hugging Face's paths.</summary>
    public IReadOnlyList<BaseModule> Modules { get; }

    /// <summary>Every norm, by Hugging Face's paths.</summary>
    public IReadOnlyList<BaseNorm> Norms { get; }

    /// <summary>The token table, [tokens, width].</summary>
    public Tensor TokenTable => _linears[Site.Embedding].Weight;

    /// <summary>Every tensor.</summary>
    public IEnumerable<Tensor> All => _norms.Values.Concat(_linears.Values.Select(linear => linear.Weight)).Concat(_linears.Values.Select(linear => linear.Bias).OfType<Tensor>());

    /// <summary>Every linear map with its weight [outputs, inputs] and bias [outputs]; the head also where it is the table.</summary>
    public IEnumerable<(Site Site, Tensor Weight, Tensor? Bias)> Linears =>
        _linears.Where(entry => entry.Key != Site.Embedding).Select(entry => (entry.Key, entry.Value.Weight, entry.Value.Bias))
            .Concat(Spec.TiedHead ? [(Site.Head, TokenTable, null)] : []);

    /// <summary>A norm's gains, [width].</summary>
    public Tensor Norm(NormSite site) => _norms[site];

    /// <summary>For each output of a linear map, in Hugging Face's order, the row of its tensors; empty where they lie in that order.</summary>
    /// <remarks>GGUF files of some architectures have the two halves of each head of query and key interleaved.</remarks>
    public ReadOnlySpan<int> RowOrder(Site site)
    {
        if (!_interleavedRows || site.Role is not (SiteRole.Query or SiteRole.Key))
        {
            return [];
        }

        int[] order = new int[Spec.Shape(site.Role).Outputs];
        int half = Spec.HeadSize / 2;
        for (int row = 0; row < order.Length; row++)
        {
            (int head, int place) = Math.DivRem(row, Spec.HeadSize);
            (int part, int pair) = Math.DivRem(place, half);
            order[row] = (head * Spec.HeadSize) + (2 * pair) + part;
        }

        return order;
    }

    /// <inheritdoc />
    public void Dispose() => _files.Dispose();

    private (BaseModule[] Modules, BaseNorm[] Norms) Listed(ParameterNames names)
    {
        return (
            [.. Spec.Sites.Linears.Prepend(Site.Embedding).Select(Module)],
            [.. Spec.Sites.Norms.Select(site => new BaseNorm(names.Of(site), site, Spec.Width))]);

        BaseModule Module(Site site)
        {
            (int outputs, int inputs) = Spec.Shape(site.Role);
            return new BaseModule(names.Of(site), site, outputs, inputs, Spec.Biases.Contains(site.Role));
        }
    }

    private static (Tensor Weight, Tensor? Bias) Find(ModelSource source, Site site)
    {
        (int outputs, int inputs) = source.Spec.Shape(site.Role);
        string name = source.Names.Of(site);
        Tensor? bias = source.Spec.Biases.Contains(site.Role) ? Find(source, name + ".bias", outputs) : null;
        return (Find(source, name + ".weight", outputs, inputs), bias);
    }

    private static Tensor Find(ModelSource source, string name, params ReadOnlySpan<long> shape)
    {
        Tensor tensor = source.FindTensor(name)
            ?? throw new ModelFormatException(source.Path, $"tensor '{name}' is missing; expected shape {Text(shape)}");
        if (!tensor.Shape.AsSpan().SequenceEqual(shape))
        {
            throw new ModelFormatException(source.Path, $"tensor {tensor} has the wrong shape; expected {Text(shape)} by the configuration");
        }

        return ElementTypes.Weights.Contains(tensor.Type)
            ? tensor
            : throw new ModelFormatException(source.Path, $"tensor {tensor} is not of a type for weights; supported are {string.Join(", ", ElementTypes.Weights)}");
    }

    private static string Text(ReadOnlySpan<long> shape) => $"[{string.Join(", ", shape.ToArray())}]";
}
