namespace LoraServe.Adapters.Methods.Training;

/// <summary>What keeps the gates of rank-one terms closed unless they pay.</summary>
public enum GatePenalty
{
    /// <summary>
    /// The gate is its parameter and Σ|g| is penalised: the lasso (Tibshirani, 1996), as SoRA (Ding et al., arXiv 2311.11696) uses
    /// it for ranks. Gates become small and are pruned below a threshold.
    /// </summary>
    L1,

    /// <summary>
    /// The gate is a stretched and clipped concrete variable with the parameter log α, and the expected number of open gates is
    /// penalised (Louizos, Welling and Kingma, arXiv 1712.01312). Gates become exactly 0.
    /// </summary>
    HardConcrete,
}
