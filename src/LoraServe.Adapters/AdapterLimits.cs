namespace LoraServe.Adapters;

/// <summary>What an adapter may ask of the process that loads it.</summary>
public sealed record AdapterLimits
{
    /// <summary>Greatest size of the weights file in bytes. Default 16 GiB.</summary>
    public long MaximumFileBytes { get; init; } = 16L << 30;

    /// <summary>Whether an adapter that changes nothing may load, as a freshly initialised one (B is zero). Default false.</summary>
    public bool AllowNoEffect { get; init; }
}
