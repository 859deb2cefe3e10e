namespace LoraServe.Adapters;

/// <summary>What an adapter may ask of the process that loads it.</summary>
public sealed record AdapterLimits
{
    /// <summary>Greatest size of the weights file in bytes. Default 16 GiB.</summary>
    public long MaximumFileBytes { get; init; } = 16L << 30;

    /// <summary>
    /// What an adapter is made of (X-LoRA) is looked for in its own directory and the directories above, up to this one, and leads out of it
    /// neither by its path nor by links. Null for files that are all the user's own: up to the root of the file system. Default null.
    /// </summary>
    public string? Root { get; init; }

    /// <summary>Whether an adapter that changes nothing may load, as a freshly initialised one (B is zero). Default false.</summary>
    public bool AllowNoEffect { get; init; }
}
