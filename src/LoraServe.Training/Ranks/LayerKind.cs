namespace LoraServe.Training.Ranks;

/// <summary>The part of a layer that a linear map belongs to.</summary>
public enum LayerKind
{
    /// <summary>Query, key, value and output projections.</summary>
    Attention,

    /// <summary>Gate, up and down projections.</summary>
    Mlp,

    /// <summary>The head and the token table.</summary>
    Other,
}
