using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Folding;

namespace LoraServe.Adapters.Gradients;

/// <summary>Derivatives of the loss by everything that one adapter does, its edits of a module brought together as <see cref="SiteEdits"/> has them.</summary>
public sealed class EditGradients
{
    private readonly Dictionary<Site, LinearEditGradient> _linears = [];
    private readonly Dictionary<Site, TableGradient> _tables = [];
    private readonly Dictionary<NormSite, NormGradient> _norms = [];
    private readonly KeyValueGradient?[] _prefixes;
    private readonly KeyValueGradient?[] _prompts;
    private readonly Dictionary<(int Layer, BottleneckPlace Place), BottleneckGradient> _bottlenecks = [];

    /// <summary>Zeros of the shapes that an adapter's edits have.</summary>
    /// <param name="edits">The adapter's edits.</param>
    /// <param name="model">Its base.</param>
    /// <param name="replacements">Where derivatives by replaced weights go.</param>
    public EditGradients(IReadOnlyList<AdapterEdit> edits, IBaseModel model, IReadOnlyDictionary<Site, GradientMatrix> replacements)
    {
        foreach (SiteEdits site in SiteEdits.Of(edits, model))
        {
            GradientMatrix? replacement = replacements.GetValueOrDefault(site.Module.Site);
            if (site.Module.Site.IsTable)
            {
                _tables.Add(site.Module.Site, new TableGradient(site, replacement));
            }
            else
            {
                _linears.Add(site.Module.Site, new LinearEditGradient(site, replacement));
            }
        }

        _prefixes = new KeyValueGradient?[model.LayerCount];
        _prompts = new KeyValueGradient?[model.LayerCount];
        foreach (AdapterEdit edit in edits)
        {
            switch (edit)
            {
                case NormDelta norm:
                    _norms.Add(norm.Site, new NormGradient(norm.Values.Length));
                    break;
                case NormReplacement norm:
                    _norms.Add(norm.Site, new NormGradient(norm.Values.Length));
                    break;
                case PrefixKeyValue prefix:
                    _prefixes[prefix.Layer] = new KeyValueGradient(prefix.Keys.Rows, prefix.Keys.Columns);
                    break;
                case PromptAttention prompt:
                    _prompts[prompt.Layer] = new KeyValueGradient(prompt.Keys.Rows, prompt.Keys.Columns);
                    break;
                case Bottleneck bottleneck:
                    _bottlenecks.Add((bottleneck.Layer, bottleneck.Place), new BottleneckGradient(bottleneck));
                    break;
                case VirtualTokens tokens:
                    VirtualEmbeddings = new GradientMatrix(tokens.Rows.Rows, tokens.Rows.Columns);
                    break;
            }
        }
    }

    /// <summary>By the edit of a table; null where there is none.</summary>
    public TableGradient? AtTable(Site site) => _tables.GetValueOrDefault(site);

    /// <summary>By the virtual tokens, [n, D]; null where there are none, or they are a prefix.</summary>
    public GradientMatrix? VirtualEmbeddings { get; }

    /// <summary>By the edit of a linear map; null where there is none.</summary>
    public LinearEditGradient? At(Site site) => _linears.GetValueOrDefault(site);

    /// <summary>By a norm's gains and biases; null where they are not edited.</summary>
    public NormGradient? At(NormSite site) => _norms.GetValueOrDefault(site);

    /// <summary>By what is added after a sublayer; null where nothing is.</summary>
    public BottleneckGradient? At(int layer, BottleneckPlace place) => _bottlenecks.GetValueOrDefault((layer, place));

    /// <summary>By a layer's prefix; null where there is none.</summary>
    public KeyValueGradient? PrefixAt(int layer) => _prefixes[layer];

    /// <summary>By what a layer's queries attend to apart from the sequence; null where there is nothing.</summary>
    public KeyValueGradient? PromptAt(int layer) => _prompts[layer];

    /// <summary>Sets all to zero but what belongs to parameters.</summary>
    public void Clear()
    {
        IEnumerable<GradientMatrix> parts = _linears.Values.SelectMany(linear => linear.Parts)
            .Concat(_norms.Values.Select(norm => norm.Parameters))
            .Concat(_tables.Values.SelectMany(table => table.Parts))
            .Concat(_prefixes.Concat(_prompts).OfType<KeyValueGradient>().SelectMany(rows => rows.Parts))
            .Concat(_bottlenecks.Values.SelectMany(bottleneck => bottleneck.Parts));
        foreach (GradientMatrix part in parts)
        {
            Array.Clear(part.Values);
        }

        Array.Clear(VirtualEmbeddings?.Values ?? []);
    }
}
