using System.Collections.Immutable;
using LoraServe.Adapters.Edits;

namespace LoraServe.Models.Spec;

/// <summary>Everything that the forward pass must know about a model but its weights.</summary>
/// <remarks>What is not said here is that of Llama: RMS norms before attention and before a SiLU-gated MLP, residual around both, norm before the head.</remarks>
public sealed record TransformerSpec
{
    /// <summary>Name of the architecture, such as <c>llama</c>.</summary>
    public required string Architecture { get; init; }

    /// <summary>Number of layers.</summary>
    public required int LayerCount { get; init; }

    /// <summary>Elements in a row of the residual stream.</summary>
    public required int Width { get; init; }

    /// <summary>Number of query heads; a multiple of <see cref="KeyValueHeads"/>.</summary>
    public required int QueryHeads { get; init; }

    /// <summary>Number of key and value heads.</summary>
    public required int KeyValueHeads { get; init; }

    /// <summary>Elements in a head; even.</summary>
    public required int HeadSize { get; init; }

    /// <summary>Elements between the MLP's widening and narrowing; of experts see <see cref="Experts"/>.</summary>
    public required int FeedForwardWidth { get; init; }

    /// <summary>Number of tokens.</summary>
    public required int VocabularySize { get; init; }

    /// <summary>Most tokens that a sequence may have.</summary>
    public required int ContextLength { get; init; }

    /// <summary>Summand under the root of every norm.</summary>
    public required float NormEpsilon { get; init; }

    /// <summary>Whether the head is the token table.</summary>
    public required bool TiedHead { get; init; }

    /// <summary>Rotary position embedding.</summary>
    public required RopeSpec Rope { get; init; }

    /// <summary>For each layer the attention window w, in which position i sees j with i − j &lt; w; 0 for all positions.</summary>
    public required ImmutableArray<int> Windows { get; init; }

    /// <summary>Rotary position embedding of layers with a window; null for that of all.</summary>
    public RopeSpec? WindowRope { get; init; }

    /// <summary>The layers whose queries and keys are not turned by their position.</summary>
    public ImmutableArray<int> Unrotated { get; init; } = [];

    /// <summary>Whether positions are learned rows, added to the tokens' rows; nothing is rotated then.</summary>
    public bool LearnsPositions { get; init; }

    /// <summary>The linear maps of a layer without experts.</summary>
    public ImmutableArray<SiteRole> Linears { get; init; } = [SiteRole.Query, SiteRole.Key, SiteRole.Value, SiteRole.Output, SiteRole.Gate, SiteRole.Up, SiteRole.Down];

    /// <summary>Whether a map of query, key and value in one has them head by head instead of one after another.</summary>
    public bool FusesByHead { get; init; }

    /// <summary>The experts of the layers that have them in place of an MLP; null for none.</summary>
    public ExpertsSpec? Experts { get; init; }

    /// <summary>The linear maps that add a bias, in every layer.</summary>
    public ImmutableArray<SiteRole> Biases { get; init; } = [];

    /// <summary>The norms of every layer: of those before attention and MLP, after them, and of queries and keys what there is.</summary>
    public ImmutableArray<NormRole> LayerNorms { get; init; } = [NormRole.Attention, NormRole.Mlp];

    /// <summary>Whether norms take the mean away first and add a bias (LayerNorm), or neither (RMS norm).</summary>
    public bool CentresNorms { get; init; }

    /// <summary>What is added to every gain of Hugging Face's files.</summary>
    public float GainOffset { get; init; }

    /// <summary>Whether the norms of queries and keys take a row's heads together instead of each by itself.</summary>
    public bool NormsHeadsTogether { get; init; }

    /// <summary>Whether attention and MLP of a layer read the same rows and are added together.</summary>
    public bool AddsInParallel { get; init; }

    /// <summary>What the MLP's gate goes through; where it has none, what the widened row does.</summary>
    public Activation MlpActivation { get; init; } = Activation.Silu;

    /// <summary>Factor of queries' products with keys; null for one over the root of <see cref="HeadSize"/>.</summary>
    public float? QueryScale { get; init; }

    /// <summary>Factor of the token table's rows.</summary>
    public float EmbeddingScale { get; init; } = 1;

    /// <summary>Factor of what attention and MLP add to the residual stream.</summary>
    public float ResidualScale { get; init; } = 1;

    /// <summary>Factor of logits, before they are bounded.</summary>
    public float LogitScale { get; init; } = 1;

    /// <summary>Bound c of logits, which become c·tanh(logit / c); 0 for none.</summary>
    public float LogitCap { get; init; }

    /// <summary>Bound c of attention's scores, likewise, before what a position does not see is left out; 0 for none.</summary>
    public float ScoreCap { get; init; }

    /// <summary>Factor of queries' products with keys.</summary>
    public float AttentionScale => QueryScale ?? (1f / MathF.Sqrt(HeadSize));

    /// <summary>All linear maps and norms, numbered. Made anew at each call: who numbers often keeps it.</summary>
    public SiteTable Sites
    {
        get
        {
            IReadOnlyList<SiteRole> dense = Linears;
            IEnumerable<SiteRole> attention = Linears.Where(role => role is not (SiteRole.Gate or SiteRole.Up or SiteRole.Down));
            IReadOnlyList<SiteRole> sparse = [.. attention, SiteRole.Router, SiteRole.ExpertGate, SiteRole.ExpertUp, SiteRole.ExpertDown];
            return new SiteTable([.. Enumerable.Range(0, LayerCount).Select(layer => HasExperts(layer) ? sparse : dense)], Experts?.Count ?? 0, LayerNorms);
        }
    }

    /// <summary>Its tables: of tokens, and of positions where these are learned.</summary>
    public IReadOnlyList<Site> Tables => LearnsPositions ? [Site.Embedding, Site.Positions] : [Site.Embedding];

    /// <summary>What has parameters of its own: tables, linear maps, and the head where it is not the token table.</summary>
    public IEnumerable<Site> StoredSites => Tables.Concat(Sites.Linears.Where(site => site != Site.Head || !TiedHead));

    /// <summary>The ropes that layers have: of all of them, or of those without a window and of those with one.</summary>
    public IEnumerable<RopeSpec> Ropes => LearnsPositions ? [] : WindowRope is null ? [Rope] : [Rope, WindowRope];

    /// <summary>Elements of a row of keys, or of values.</summary>
    public int KeyWidth => KeyValueHeads * HeadSize;

    /// <summary>Whether a layer has experts in place of an MLP.</summary>
    public bool HasExperts(int layer) => Experts is { } experts && !experts.DenseLayers.Contains(layer);

    /// <summary>How a layer's queries and keys are turned; null for not at all.</summary>
    public RopeSpec? RopeOf(int layer) => LearnsPositions || Unrotated.Contains(layer) ? null : Windows[layer] > 0 && WindowRope is { } own ? own : Rope;

    /// <summary>Elements that a norm takes together, which is the number of its gains.</summary>
    public int NormWidth(NormRole role) => role switch
    {
        NormRole.Query => NormsHeadsTogether ? QueryHeads * HeadSize : HeadSize,
        NormRole.Key => NormsHeadsTogether ? KeyWidth : HeadSize,
        _ => Width,
    };

    /// <summary>A norm's gains as they are multiplied by, then its biases.</summary>
    /// <param name="site">The norm.</param>
    /// <param name="stored">The same as Hugging Face's files have them.</param>
    public float[] Gains(NormSite site, ReadOnlySpan<float> stored)
    {
        float[] values = stored.ToArray();
        for (int i = 0; i < NormWidth(site.Role); i++)
        {
            values[i] += GainOffset;
        }

        return values;
    }

    /// <summary>Elements of a linear map's input and output.</summary>
    /// <param name="role">Which linear map; for the head and the tables: rows of tokens or positions, columns of width.</param>
    public (int Outputs, int Inputs) Shape(SiteRole role) => role switch
    {
        SiteRole.Query => (QueryHeads * HeadSize, Width),
        SiteRole.Key or SiteRole.Value => (KeyWidth, Width),
        SiteRole.QueryKeyValue => ((QueryHeads * HeadSize) + (2 * KeyWidth), Width),
        SiteRole.Output => (Width, QueryHeads * HeadSize),
        SiteRole.Gate or SiteRole.Up => (FeedForwardWidth, Width),
        SiteRole.GateUp => (2 * FeedForwardWidth, Width),
        SiteRole.Down => (Width, FeedForwardWidth),
        SiteRole.Router => (Experts!.Count, Width),
        SiteRole.ExpertGate or SiteRole.ExpertUp => (Experts!.Width, Width),
        SiteRole.ExpertDown => (Width, Experts!.Width),
        SiteRole.Positions => (ContextLength, Width),
        _ => (VocabularySize, Width),
    };
}
