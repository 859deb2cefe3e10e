using LoraServe.Adapters;
using LoraServe.Adapters.Edits;
using LoraServe.Compute.Tensors;
using LoraServe.Models;
using LoraServe.Models.Loading;
using LoraServe.Models.Spec;

namespace LoraServe.Testing.Plain;

/// <summary>A model's weights in plain arrays, on no device.</summary>
public sealed class PlainModel : IBaseModel
{
    private readonly Dictionary<Site, (float[] Weight, float[]? Bias)> _linears;
    private readonly Dictionary<NormSite, float[]> _norms;
    private readonly Dictionary<Site, BaseModule> _modules;

    /// <summary>Copies weights, in Hugging Face's order of rows.</summary>
    public PlainModel(ModelWeights weights)
    {
        Spec = weights.Spec;
        Fingerprint = weights.Fingerprint;
        Modules = weights.Modules;
        Norms = weights.Norms;
        _modules = Modules.ToDictionary(module => module.Site);
        _norms = Norms.ToDictionary(norm => norm.Site, norm =>
        {
            float[] parameters = new float[norm.ParameterCount];
            weights.CopyNorm(norm.Site, parameters);
            return parameters;
        });
        _linears = weights.Linears.ToDictionary(
            linear => linear.Site,
            linear => (Ordered(linear.Weight, weights.RowOrder(linear.Site)), linear.Bias is { } bias ? Ordered(bias, weights.RowOrder(linear.Site)) : null));
        _linears[Site.Embedding] = (weights.TokenTable.ToFloats(), null);
        if (weights.Positions is { } positions)
        {
            _linears[Site.Positions] = (positions.ToFloats(), null);
        }
    }

    /// <summary>The shape.</summary>
    public TransformerSpec Spec { get; }

    public string Architecture => Spec.Architecture;

    public string? ModelClass => Models.Architectures.Architecture.All.FirstOrDefault(known => known.Name == Architecture)?.ClassName;

    public IReadOnlyList<BaseModule> Modules { get; }

    public IReadOnlyList<BaseNorm> Norms { get; }

    public int LayerCount => Spec.LayerCount;

    public int Width => Spec.Width;

    public int HeadSize => Spec.HeadSize;

    public int KeyWidth => Spec.KeyWidth;

    public int VocabularySize => Spec.VocabularySize;

    public bool TiedHead => Spec.TiedHead;

    public string Fingerprint { get; }

    /// <summary>Reads a Hugging Face directory.</summary>
    public static PlainModel Open(string directory)
    {
        using var weights = new ModelWeights(HuggingFaceSource.Open(directory));
        return new PlainModel(weights);
    }

    /// <summary>The module at a site.</summary>
    public BaseModule At(Site site) => _modules[site];

    public void CopyWeightRow(Site site, int row, Span<float> destination) =>
        _linears[site].Weight.AsSpan(row * destination.Length, destination.Length).CopyTo(destination);

    public void CopyBias(Site site, Span<float> destination)
    {
        destination.Clear();
        _linears[site].Bias?.CopyTo(destination);
    }

    public void CopyNorm(NormSite site, Span<float> destination) => _norms[site].CopyTo(destination);

    private static float[] Ordered(Tensor tensor, ReadOnlySpan<int> order)
    {
        float[] values = tensor.ToFloats();
        int width = tensor.Shape.Length == 1 ? 1 : (int)tensor.RowLength;
        float[] ordered = [.. values];
        for (int row = 0; row < order.Length; row++)
        {
            values.AsSpan(order[row] * width, width).CopyTo(ordered.AsSpan(row * width));
        }

        return ordered;
    }
}
