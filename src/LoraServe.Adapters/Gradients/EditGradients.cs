using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Resident;

namespace LoraServe.Adapters.Gradients;

/// <summary>Derivatives of the loss by everything that one adapter does, in the form in which it is resident.</summary>
public sealed class EditGradients
{
    private readonly Dictionary<Site, LinearEditGradient> _linears = [];
    private readonly Dictionary<NormSite, GradientMatrix> _norms = [];
    private readonly PrefixGradient?[] _prefixes;
    private readonly Dictionary<(int Layer, BottleneckPlace Place), BottleneckGradient> _bottlenecks = [];

    /// <summary>Zeros of the shapes that an adapter's edits have.</summary>
    /// <param name="adapter">The adapter.</param>
    /// <param name="model">Its base.</param>
    /// <param name="replacements">Where derivatives by replaced weights go.</param>
    public EditGradients(ResidentAdapter adapter, IBaseModel model, IReadOnlyDictionary<Site, GradientMatrix> replacements)
    {
        foreach (BaseModule module in model.Modules.Where(module => module.Site != Site.Embedding))
        {
            if (adapter.At(module.Site) is { } edit)
            {
                _linears.Add(module.Site, new LinearEditGradient(edit, module.Outputs, module.Inputs, replacements.GetValueOrDefault(module.Site)));
            }
        }

        Embedding = adapter.Embedding is { } embedding ? new EmbeddingGradient(embedding, model.VocabularySize, replacements.GetValueOrDefault(Site.Embedding)) : null;
        foreach (BaseNorm norm in model.Norms)
        {
            if (adapter.At(norm.Site) is not null)
            {
                _norms.Add(norm.Site, new GradientMatrix(1, norm.Width));
            }
        }

        _prefixes = new PrefixGradient?[model.LayerCount];
        for (int layer = 0; layer < model.LayerCount; layer++)
        {
            _prefixes[layer] = adapter.PrefixAt(layer) is { } prefix ? new PrefixGradient(adapter.VirtualRows, prefix.Width) : null;
            foreach (BottleneckPlace place in Enum.GetValues<BottleneckPlace>())
            {
                if (adapter.At(layer, place) is { } bottleneck)
                {
                    _bottlenecks.Add((layer, place), new BottleneckGradient(bottleneck));
                }
            }
        }

        if (adapter.VirtualEmbeddings != 0)
        {
            VirtualEmbeddings = new GradientMatrix(adapter.VirtualRows, model.Width);
        }
    }

    /// <summary>By the edit of the token table; null where there is none.</summary>
    public EmbeddingGradient? Embedding { get; }

    /// <summary>By the virtual tokens, [n, D]; null where there are none, or they are a prefix.</summary>
    public GradientMatrix? VirtualEmbeddings { get; }

    /// <summary>By the edit of a linear map; null where there is none.</summary>
    public LinearEditGradient? At(Site site) => _linears.GetValueOrDefault(site);

    /// <summary>By a norm's gains; null where they are not edited.</summary>
    public GradientMatrix? At(NormSite site) => _norms.GetValueOrDefault(site);

    /// <summary>By what is added after a sublayer; null where nothing is.</summary>
    public BottleneckGradient? At(int layer, BottleneckPlace place) => _bottlenecks.GetValueOrDefault((layer, place));

    /// <summary>By a layer's prefix; null where there is none.</summary>
    public PrefixGradient? PrefixAt(int layer) => _prefixes[layer];

    /// <summary>Sets all to zero but what belongs to parameters.</summary>
    public void Clear()
    {
        IEnumerable<GradientMatrix> parts = _linears.Values.SelectMany(linear => linear.Parts)
            .Concat(_norms.Values)
            .Concat(Embedding?.Parts ?? [])
            .Concat(_prefixes.OfType<PrefixGradient>().SelectMany(prefix => prefix.Parts))
            .Concat(_bottlenecks.Values.SelectMany(bottleneck => bottleneck.Parts));
        foreach (GradientMatrix part in parts)
        {
            Array.Clear(part.Values);
        }

        Array.Clear(VirtualEmbeddings?.Values ?? []);
    }
}
