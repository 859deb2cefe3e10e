using System.Collections.Immutable;
using LoraServe.Adapters.Edits;

namespace LoraServe.Models.Spec;

/// <summary>Everything that the forward pass must know about a model but its weights.</summary>
/// <remarks>RMS norms before attention and before a gated MLP, residual around both, RMS norm before the head; the rest is said here.</remarks>
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

    /// <summary>Elements between the MLP's widening and narrowing.</summary>
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

    /// <summary>The linear maps that add a bias, in every layer.</summary>
    public ImmutableArray<SiteRole> Biases { get; init; } = [];

    /// <summary>The norms of every layer: those before attention and MLP, and of those after them what there is.</summary>
    public ImmutableArray<NormRole> LayerNorms { get; init; } = [NormRole.Attention, NormRole.Mlp];

    /// <summary>What the MLP's gate goes through.</summary>
    public Activation MlpActivation { get; init; } = Activation.Silu;

    /// <summary>Factor of queries' products with keys; null for one over the root of <see cref="HeadSize"/>.</summary>
    public float? QueryScale { get; init; }

    /// <summary>Factor of the token table's rows.</summary>
    public float EmbeddingScale { get; init; } = 1;

    /// <summary>Bound c of logits, which become c·tanh(logit / c); 0 for none.</summary>
    public float LogitCap { get; init; }

    /// <summary>Factor of queries' products with keys.</summary>
    public float AttentionScale => QueryScale ?? (1f / MathF.Sqrt(HeadSize));

    /// <summary>All linear maps and norms, numbered. Made anew at each call: who numbers often keeps it.</summary>
    public SiteTable Sites => new(LayerCount, LayerNorms);

    /// <summary>Elements of a linear map's input and output.</summary>
    /// <param name="role">Which linear map; for the head and the table: rows of tokens, columns of width.</param>
    public (int Outputs, int Inputs) Shape(SiteRole role) => role switch
    {
        SiteRole.Query => (QueryHeads * HeadSize, Width),
        SiteRole.Key or SiteRole.Value => (KeyValueHeads * HeadSize, Width),
        SiteRole.Output => (Width, QueryHeads * HeadSize),
        SiteRole.Gate or SiteRole.Up => (FeedForwardWidth, Width),
        SiteRole.Down => (Width, FeedForwardWidth),
        _ => (VocabularySize, Width),
    };
}
