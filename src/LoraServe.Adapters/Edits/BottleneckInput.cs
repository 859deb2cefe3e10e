namespace LoraServe.Adapters.Edits;

/// <summary>What a bottleneck reads; the residual stream is the one before the sublayer's norm.</summary>
public enum BottleneckInput
{
    /// <summary>The sublayer's result (Houlsby).</summary>
    Sublayer,

    /// <summary>Residual stream plus the sublayer's result (Pfeiffer).</summary>
    Sum,

    /// <summary>The residual stream (parallel).</summary>
    Residual,
}
