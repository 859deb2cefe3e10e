namespace LoraServe.Training;

/// <summary>How a trainer uses the machine.</summary>
public sealed record TrainerOptions
{
    /// <summary>Threads that compute.</summary>
    public int WorkerCount { get; init; } = Compute.Machine.ProcessorTopology.PhysicalCores;

    /// <summary>Whether its threads give way to all others, such as those that serve requests.</summary>
    public bool IsBackground { get; init; }

    /// <summary>Share of the time that it may compute, above 0 to 1; it pauses between rounds for the rest.</summary>
    public double Share { get; init; } = 1;

    /// <summary>Most tokens that go through the model at once: what bounds the memory of activations.</summary>
    public int TokensAtOnce { get; init; } = 2048;
}
