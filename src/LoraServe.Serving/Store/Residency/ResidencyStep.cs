namespace LoraServe.Serving.Store.Residency;

/// <summary>What <see cref="ResidencyPolicy"/> wants done next.</summary>
internal enum ResidencyStep
{
    /// <summary>Nothing, until something changes.</summary>
    None,

    /// <summary>A resident adapter goes.</summary>
    Evict,

    /// <summary>A resident adapter takes no new requests.</summary>
    Drain,

    /// <summary>A draining adapter takes new requests again.</summary>
    Resume,

    /// <summary>An adapter that was asked for gets its room and is loaded.</summary>
    Load,
}
