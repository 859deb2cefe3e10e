using LoraServe.Adapters;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Gguf;
using LoraServe.Compute.Memory;
using LoraServe.Compute.Tensors;
using LoraServe.Models.Architectures;
using LoraServe.Models.Config;
using LoraServe.Models.Loading;
using LoraServe.Models.Spec;
using TensorPrimitives = System.Numerics.Tensors.TensorPrimitives;

namespace LoraServe.Models;

/// <summary>
/// A model's weights where they lie in its mapped files, found and checked against its spec: what a device loads from, before anything
/// is allocated. Disposing unmaps the files.
/// </summary>
public sealed class ModelWeights : IDisposable
{
    private readonly Dictionary<Site, (Tensor Weight, Tensor? Bias)> _linears;
    private readonly Dictionary<NormSite, (Tensor Gains, Tensor? Biases)> _norms;
    private readonly string? _ggufArchitecture;
    private readonly float _offsetOfStored;
    private readonly IDisposable _files;
    private readonly List<IDisposable> _made = [];

    internal ModelWeights(ModelSource source)
    {
        Spec = source.Spec;
        Architecture architecture = source.Architecture;
        _ggufArchitecture = source.IsGguf ? architecture.GgufName : null;
        _offsetOfStored = source.IsGguf && architecture.GgufGainsAreWhole ? Spec.GainOffset : 0;
        _files = source.Files;
        try
        {
            _linears = Spec.StoredSites.ToDictionary(site => site, site => Find(source, site));
            _norms = Spec.Sites.Norms.ToDictionary(site => site, site => Find(source, site));
            Fingerprint = Loading.Fingerprint.Of(Spec, All);
            (Modules, Norms) = Listed(architecture);
        }
        catch
        {
            _made.ForEach(made => made.Dispose());
            throw;
        }
    }

    /// <summary>Weights that lie in memory.</summary>
    internal ModelWeights(
        TransformerSpec spec,
        string fingerprint,
        Architecture architecture,
        Dictionary<Site, (Tensor Weight, Tensor? Bias)> linears,
        Dictionary<NormSite, (Tensor Gains, Tensor? Biases)> norms)
    {
        Spec = spec;
        Fingerprint = fingerprint;
        _linears = linears;
        _norms = norms;
        _files = new MemoryStream();
        (Modules, Norms) = Listed(architecture);
    }

    /// <summary>The shape.</summary>
    public TransformerSpec Spec { get; }

    /// <summary>What tells this model from another of the same shape.</summary>
    /// <remarks>SHA-256 over the spec and, for every tensor used, name, type, shape and a sample of its bytes; in hexadecimal.</remarks>
    public string Fingerprint { get; }

    /// <summary>The tables, every linear map and the head (also where it is tied), by Hugging Face's paths.</summary>
    public IReadOnlyList<BaseModule> Modules { get; }

    /// <summary>Every norm, by Hugging Face's paths.</summary>
    public IReadOnlyList<BaseNorm> Norms { get; }

    /// <summary>The token table, [tokens, width].</summary>
    public Tensor TokenTable => _linears[Site.Embedding].Weight;

    /// <summary>The table of learned positions, [positions, width]; null where there is none.</summary>
    public Tensor? Positions => _linears.TryGetValue(Site.Positions, out (Tensor Weight, Tensor? Bias) table) ? table.Weight : null;

    /// <summary>Every tensor.</summary>
    public IEnumerable<Tensor> All => _norms.Values.SelectMany(norm => new[] { norm.Gains, norm.Biases })
        .Concat(_linears.Values.SelectMany(linear => new[] { linear.Weight, linear.Bias }))
        .OfType<Tensor>();

    /// <summary>Every linear map with its weight [outputs, inputs] and bias [outputs]; the head also where it is the table.</summary>
    public IEnumerable<(Site Site, Tensor Weight, Tensor? Bias)> Linears =>
        _linears.Where(entry => !entry.Key.IsTable).Select(entry => (entry.Key, entry.Value.Weight, entry.Value.Bias))
            .Concat(Spec.TiedHead ? [(Site.Head, TokenTable, null)] : []);

    /// <summary>A norm's gains as they are multiplied by, then its biases where it has them.</summary>
    public float[] Norm(NormSite site)
    {
        float[] values = new float[Spec.NormWidth(site.Role) * (Spec.CentresNorms ? 2 : 1)];
        CopyNorm(site, values);
        return Spec.Gains(site, values);
    }

    /// <summary>A norm's gains as the file has them, [elements that are normed together].</summary>
    internal Tensor StoredGains(NormSite site) => _norms[site].Gains;

    /// <summary>A norm's gains as Hugging Face's files have them, then its biases where it has them.</summary>
    public void CopyNorm(NormSite site, Span<float> destination)
    {
        (Tensor gains, Tensor? biases) = _norms[site];
        float[] stored = gains.ToFloats();
        TensorPrimitives.Subtract(stored, _offsetOfStored, destination);
        biases?.ToFloats().CopyTo(destination[stored.Length..]);
    }

    /// <summary>For each output of a linear map, in Hugging Face's order, the row of its tensors; empty where they lie in that order.</summary>
    /// <remarks>GGUF files of some architectures have other orders; see <see cref="GgufRows"/>.</remarks>
    public ReadOnlySpan<int> RowOrder(Site site)
    {
        int[] stored = _ggufArchitecture is null ? [] : GgufRows.Order(_ggufArchitecture, site.Role, Spec.Shape(site.Role).Outputs, Spec.HeadSize);
        int[] order = new int[stored.Length];
        for (int row = 0; row < order.Length; row++)
        {
            order[stored[row]] = row;
        }

        return order;
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _made.ForEach(made => made.Dispose());
        _files.Dispose();
    }

    private (BaseModule[] Modules, BaseNorm[] Norms) Listed(Architecture architecture)
    {
        ParameterNames names = architecture.HuggingFaceNames;
        return (
            [.. Spec.Tables.Concat(Spec.Sites.Linears).Select(Module)],
            [.. Spec.Sites.Norms.Select(site => new BaseNorm(names.Of(site), site, Spec.NormWidth(site.Role), Spec.CentresNorms))]);

        BaseModule Module(Site site)
        {
            (int outputs, int inputs) = Spec.Shape(site.Role);
            return new BaseModule(names.Of(site), site, outputs, inputs, Spec.Biases.Contains(site.Role)) { IsTransposed = architecture.TransposedLinears.Contains(site.Role) };
        }
    }

    private (Tensor Weight, Tensor? Bias) Find(ModelSource source, Site site)
    {
        (int outputs, int inputs) = source.Spec.Shape(site.Role);
        string name = source.Names.Of(site);
        Tensor? bias = source.Spec.Biases.Contains(site.Role) ? Find(source, name + ".bias", outputs) : null;
        if (site.Expert >= 0 && source.IsGguf)
        {
            return (Find(source, name + ".weight", source.Spec.Experts!.Count, outputs, inputs).Slice(site.Expert), bias);
        }

        return source.IsGguf || !source.Architecture.TransposedLinears.Contains(site.Role)
            ? (Find(source, name + ".weight", outputs, inputs), bias)
            : (Transposed(Find(source, name + ".weight", inputs, outputs)), bias);
    }

    private static (Tensor Gains, Tensor? Biases) Find(ModelSource source, NormSite site)
    {
        string name = source.Names.Of(site);
        int width = source.Spec.NormWidth(site.Role);
        return (Find(source, name + ".weight", width), source.Spec.CentresNorms ? Find(source, name + ".bias", width) : null);
    }

    /// <summary>A copy [outputs, inputs] of what the file has as [inputs, outputs], of the same type.</summary>
    private unsafe Tensor Transposed(Tensor stored)
    {
        (long rows, long columns) = (stored.Shape[0], stored.Shape[1]);
        int size = (int)(stored.ByteLength / stored.ElementCount);
        if (size * stored.ElementCount != stored.ByteLength)
        {
            throw new ModelFormatException(stored.Name, $"tensor {stored} is [inputs, outputs] in blocks of {stored.Type}; expected float32, float16 or bfloat16");
        }

        var buffer = new NativeBuffer(stored.ByteLength);
        _made.Add(buffer);
        byte* from = (byte*)stored.Data;
        for (long row = 0; row < rows; row++)
        {
            for (long column = 0; column < columns; column++)
            {
                new ReadOnlySpan<byte>(from + (((row * columns) + column) * size), size).CopyTo(new Span<byte>(buffer.Pointer + (((column * rows) + row) * size), size));
            }
        }

        return Tensor.Over(stored.Name, stored.Type, buffer, 0, columns, rows);
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
