namespace LoraServe.Adapters.Merging;

/// <summary>How several LoRA adapters become one; PEFT's <c>combination_type</c> of <c>add_weighted_adapter</c>.</summary>
public enum CombinationMethod
{
    /// <summary>Weighted sums of the A's and of the B's; ranks must be equal.</summary>
    Linear,

    /// <summary>Pairs side by side: exactly the weighted sum of the changes, the rank is the sum of the ranks. PEFT's <c>cat</c>.</summary>
    Concatenation,

    /// <summary>The weighted sum of the changes, cut to a rank by singular value decomposition.</summary>
    Svd,

    /// <summary>TIES (Yadav et al. 2023) on the A's and on the B's: prune by magnitude, elect signs, average those that agree.</summary>
    Ties,

    /// <summary><see cref="Ties"/> on the changes, cut to a rank.</summary>
    TiesSvd,

    /// <summary>DARE (Yu et al. 2023) on the A's and on the B's: drop at random, rescale, add.</summary>
    DareLinear,

    /// <summary>DARE's dropping with TIES' election.</summary>
    DareTies,

    /// <summary><see cref="DareLinear"/> on the changes, cut to a rank.</summary>
    DareLinearSvd,

    /// <summary><see cref="DareTies"/> on the changes, cut to a rank.</summary>
    DareTiesSvd,

    /// <summary>Prune the A's and the B's by magnitude, then add.</summary>
    MagnitudePrune,

    /// <summary><see cref="MagnitudePrune"/> on the changes, cut to a rank.</summary>
    MagnitudePruneSvd,
}
