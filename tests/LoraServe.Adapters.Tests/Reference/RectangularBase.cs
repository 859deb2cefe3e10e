using LoraServe.Adapters.Edits;

namespace LoraServe.Adapters.Tests.Reference;

/// <summary>A base of one layer whose maps are rectangular, with biases or without, and stored as nn.Linear's or Conv1D's.</summary>
internal sealed class RectangularBase : IBaseModel
{
    private readonly Dictionary<Site, float[]> _weights = [];
    private readonly Dictionary<Site, float[]> _biases = [];

    public RectangularBase(bool hasBias, bool isTransposed)
    {
        var random = new Random(23);
        Modules =
        [
            new BaseModule("model.embed_tokens", Site.Embedding, VocabularySize, Width, HasBias: false),
            Map("q_proj", SiteRole.Query, 8),
            Map("v_proj", SiteRole.Value, 4),
            Map("o_proj", SiteRole.Output, Width),
            new BaseModule("lm_head", Site.Head, VocabularySize, Width, HasBias: false),
        ];
        foreach (BaseModule module in Modules)
        {
            _weights[module.Site] = [.. Enumerable.Range(0, module.Outputs * module.Inputs).Select(_ => random.NextSingle() - 0.5f)];
            _biases[module.Site] = [.. Enumerable.Range(0, module.Outputs).Select(_ => module.HasBias ? random.NextSingle() - 0.5f : 0)];
        }

        BaseModule Map(string name, SiteRole role, int outputs) =>
            new($"model.layers.0.self_attn.{name}", new Site(0, role), outputs, Width, hasBias) { IsTransposed = isTransposed };
    }

    public string Architecture => "small";

    public string? ModelClass => null;

    public IReadOnlyList<BaseModule> Modules { get; }

    public IReadOnlyList<BaseNorm> Norms => [];

    public int LayerCount => 1;

    public int Width => 6;

    public int KeyWidth => 4;

    public int HeadSize => 2;

    public int VocabularySize => 5;

    public bool TiedHead => false;

    public string Fingerprint => "small";

    public void CopyWeightRow(Site site, int row, Span<float> destination) => _weights[site].AsSpan(row * destination.Length, destination.Length).CopyTo(destination);

    public void CopyBias(Site site, Span<float> destination) => _biases[site].CopyTo(destination);

    public void CopyNorm(NormSite site, Span<float> destination) => throw new NotSupportedException();
}
