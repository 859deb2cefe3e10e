using System.Collections.Immutable;
using LoraServe.Adapters;
using LoraServe.Adapters.Edits;
using LoraServe.Compute;
using LoraServe.Compute.Kernels;
using LoraServe.Compute.Memory;
using LoraServe.Compute.Tensors;
using LoraServe.Models.Architectures;

namespace LoraServe.Models;

/// <summary>A frozen base model: its shape and its weights. Immutable; owns its memory and its mapped files.</summary>
public sealed unsafe class Transformer : IBaseModel, IDisposable
{
    private readonly ImmutableArray<LinearWeights> _linears;
    private readonly ImmutableArray<NativeBuffer> _norms;
    private readonly IDisposable? _files; // null for a view, which owns nothing

    internal Transformer(TransformerWeights weights, Arithmetic arithmetic, string fingerprint, ParameterNames names, IDisposable files)
    {
        Spec = weights.Spec;
        TokenTable = weights.TokenTable;
        _linears = weights.Linears;
        _norms = weights.Norms;
        Arithmetic = arithmetic;
        Fingerprint = fingerprint;
        Modules = ListModules(Spec, names);
        Norms = ListNorms(Spec, names);
        _files = files;
    }

    private Transformer(Transformer source, Arithmetic arithmetic)
    {
        Spec = source.Spec;
        TokenTable = source.TokenTable;
        _linears = [.. source._linears.Select(linear => linear with { Matrix = linear.Matrix.In(arithmetic) })];
        _norms = source._norms;
        Arithmetic = arithmetic;
        Fingerprint = source.Fingerprint;
        Modules = source.Modules;
        Norms = source.Norms;
    }

    /// <summary>The shape.</summary>
    public TransformerSpec Spec { get; }

    /// <summary>The token table [tokens, width], in the file; rows are dequantised when looked up.</summary>
    public Tensor TokenTable { get; }

    /// <summary>What the matrices were packed for.</summary>
    public Arithmetic Arithmetic { get; }

    /// <summary>Bytes of memory that the weights take, the mapped token table included.</summary>
    public long ByteLength =>
        TokenTable.ByteLength + _norms.Sum(norm => norm.ByteLength) + _linears.Sum(linear => linear.Matrix.ByteLength + (linear.Bias?.ByteLength ?? 0));

    /// <inheritdoc />
    /// <remarks>SHA-256 over the spec and, for every tensor used, name, type, shape and a sample of its bytes; in hexadecimal.</remarks>
    public string Fingerprint { get; }

    /// <inheritdoc />
    public string Architecture => Spec.Architecture;

    /// <inheritdoc />
    public string? ModelClass => Architectures.Architecture.All.FirstOrDefault(known => known.Name == Architecture)?.ClassName;

    /// <inheritdoc />
    public IReadOnlyList<BaseModule> Modules { get; }

    /// <inheritdoc />
    public IReadOnlyList<BaseNorm> Norms { get; }

    /// <inheritdoc />
    public int LayerCount => Spec.LayerCount;

    /// <inheritdoc />
    public int Width => Spec.Width;

    /// <inheritdoc />
    public int HeadSize => Spec.HeadSize;

    /// <inheritdoc />
    public int VocabularySize => Spec.VocabularySize;

    /// <inheritdoc />
    public bool TiedHead => Spec.TiedHead;

    /// <summary>The weights at a site that is not the table. The head's are a packed copy of the table where it is tied.</summary>
    public LinearWeights Linear(Site site) => _linears[Spec.Sites.Index(site)];

    /// <summary>A norm's gains.</summary>
    public NativeBuffer Norm(NormSite site) => _norms[Spec.Sites.Index(site)];

    /// <summary>The same model in the same memory, computing in <paramref name="arithmetic"/>.</summary>
    /// <remarks>A view: it is valid until this model is disposed, and disposing it does nothing.</remarks>
    public Transformer In(Arithmetic arithmetic) => new(this, arithmetic);

    /// <inheritdoc />
    public void CopyWeightRow(Site site, int row, Span<float> destination)
    {
        if (site.Role == SiteRole.Embedding || (site.Role == SiteRole.Head && TiedHead))
        {
            TokenTable.CopyRow(row, destination);
        }
        else
        {
            Linear(site).Matrix.CopyRow(row, destination);
        }
    }

    /// <inheritdoc />
    public void Multiply(Site site, FloatMatrix x, FloatMatrix y)
    {
        fixed (float* from = x.Values, to = y.Values)
        {
            MatMul.RunSerial(Linear(site).Matrix, new Rows((nint)from, x.Rows, x.Columns, x.Columns), new Rows((nint)to, y.Rows, y.Columns, y.Columns));
        }
    }

    /// <inheritdoc />
    public void CopyBias(Site site, Span<float> destination)
    {
        if (Linear(site).Bias is { } bias)
        {
            new ReadOnlySpan<float>(bias.Pointer, destination.Length).CopyTo(destination);
        }
        else
        {
            destination.Clear();
        }
    }

    /// <inheritdoc />
    public void CopyNorm(NormSite site, Span<float> destination) =>
        new ReadOnlySpan<float>(Norm(site).Pointer, Width).CopyTo(destination);

    /// <summary>Frees the weights and unmaps the files.</summary>
    public void Dispose()
    {
        if (_files is null)
        {
            return;
        }

        foreach (LinearWeights linear in _linears)
        {
            linear.Dispose();
        }

        foreach (NativeBuffer norm in _norms)
        {
            norm.Dispose();
        }

        _files.Dispose();
    }

    private static BaseModule[] ListModules(TransformerSpec spec, ParameterNames names)
    {
        return [.. spec.Sites.Linears.Prepend(Site.Embedding).Select(Module)];

        BaseModule Module(Site site)
        {
            (int outputs, int inputs) = spec.Shape(site.Role);
            return new BaseModule(names.Of(site), site, outputs, inputs, spec.Biases.Contains(site.Role));
        }
    }

    private static BaseNorm[] ListNorms(TransformerSpec spec, ParameterNames names) =>
        [.. spec.Sites.Norms.Select(site => new BaseNorm(names.Of(site), site, spec.Width))];
}
