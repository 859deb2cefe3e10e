using LoraServe.Adapters.Edits;

namespace LoraServe.Adapters.Tests.Reference;

/// <summary>A base of three linear maps in one layer, a token table and a head: one as nn.Linear without a bias, one with, and one as GPT-2's Conv1D.</summary>
internal sealed class SmallBase : IBaseModel
{
    public const string Plain = "model.layers.0.attn.plain";
    public const string Biased = "model.layers.0.attn.biased";
    public const string Conv = "model.layers.0.mlp.conv";
    public const string Table = "model.embed_tokens";
    private readonly Dictionary<Site, FloatMatrix> _weights;
    private readonly Dictionary<Site, float[]> _biases;

    public SmallBase()
    {
        var random = new Random(31);
        float[] Values(int count) => [.. Enumerable.Range(0, count).Select(_ => (float)(random.NextDouble() - 0.5))];
        _weights = Modules.ToDictionary(module => module.Site, module => new FloatMatrix(module.Outputs, module.Inputs, Values(module.Outputs * module.Inputs)));
        _biases = Modules.ToDictionary(module => module.Site, module => module.HasBias ? Values(module.Outputs) : new float[module.Outputs]);
    }

    public IReadOnlyList<BaseModule> Modules { get; } =
    [
        new(Plain, new Site(0, SiteRole.Query), 12, 8, HasBias: false),
        new(Biased, new Site(0, SiteRole.Value), 4, 12, HasBias: true),
        new(Conv, new Site(0, SiteRole.Output), 8, 12, HasBias: true) { IsTransposed = true },
        new(Table, Site.Embedding, 10, 8, HasBias: false),
        new("lm_head", Site.Head, 10, 8, HasBias: false),
    ];

    public IReadOnlyList<BaseNorm> Norms { get; } = [new("model.norm", NormSite.Final, 8)];

    public string Architecture => "small";

    public string? ModelClass => null;

    public int LayerCount => 1;

    public int Width => 8;

    public int KeyWidth => 4;

    public int HeadSize => 4;

    public int VocabularySize => 10;

    public bool TiedHead => false;

    public string Fingerprint => "small";

    public BaseModule At(string path) => Modules.Single(module => module.Path == path);

    public void CopyWeightRow(Site site, int row, Span<float> destination) => _weights[site].Row(row).CopyTo(destination);

    public void CopyBias(Site site, Span<float> destination) => _biases[site].CopyTo(destination);

    public void CopyNorm(NormSite site, Span<float> destination) => destination.Fill(1);
}
