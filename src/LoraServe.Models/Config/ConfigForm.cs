using LoraServe.Adapters.Edits;

namespace LoraServe.Models.Config;

/// <summary>What a family's config.json calls the fields that all families have, and what its library takes where a field is missing.</summary>
internal sealed record ConfigForm
{
    /// <summary><c>model_type</c>.</summary>
    public required string Architecture { get; init; }

    /// <summary>Width of the residual stream.</summary>
    public string Width { get; init; } = "hidden_size";

    /// <summary>Number of layers.</summary>
    public string Layers { get; init; } = "num_hidden_layers";

    /// <summary>Number of query heads.</summary>
    public string Heads { get; init; } = "num_attention_heads";

    /// <summary>Width of the MLP.</summary>
    public string FeedForward { get; init; } = "intermediate_size";

    /// <summary>Positions of pretraining.</summary>
    public string Positions { get; init; } = "max_position_embeddings";

    /// <summary>Summand under the root of norms.</summary>
    public string Epsilon { get; init; } = "rms_norm_eps";

    /// <summary>The MLP's activation.</summary>
    public string Activation { get; init; } = "hidden_act";

    /// <summary>Elements of a head where <c>head_dim</c> is missing; null for the width over the number of heads.</summary>
    public int? DefaultHeadSize { get; init; }

    /// <summary>The MLP's width in widths of the residual stream where it is missing; null where it must be there.</summary>
    public int? DefaultFeedForwardFactor { get; init; }

    /// <summary>Where it is missing.</summary>
    public double DefaultEpsilon { get; init; } = 1e-6;

    /// <summary>Where it is missing.</summary>
    public Activation DefaultActivation { get; init; } = Adapters.Edits.Activation.Silu;

    /// <summary>Whether the head is the token table where nothing is said.</summary>
    public bool TiesHead { get; init; }

    /// <summary>Base of the rope where nothing is said.</summary>
    public double DefaultTheta { get; init; } = 10_000;

    /// <summary>What the part of a head that is turned is called outside of <c>rope_parameters</c>.</summary>
    public string RotaryShare { get; init; } = "partial_rotary_factor";

    /// <summary>What the rope's base is called outside of <c>rope_parameters</c>.</summary>
    public string Theta { get; init; } = "rope_theta";

    /// <summary>The part of a head that is turned where nothing is said.</summary>
    public double DefaultRotaryShare { get; init; } = 1;

    /// <summary>Whether positions are learned, so that there is no rope.</summary>
    public bool LearnsPositions { get; init; }
}
