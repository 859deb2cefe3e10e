using LoraServe.Compute;

namespace LoraServe.Models;

/// <summary>How a model is loaded.</summary>
public sealed record ModelLoadOptions
{
    /// <summary>What the weights are packed for.</summary>
    public Arithmetic Arithmetic { get; init; } = Arithmetic.Fast;

    /// <summary>Threads that pack weights.</summary>
    public int Workers { get; init; } = Environment.ProcessorCount;

    /// <summary>Told after each weight that is ready, from any of the threads.</summary>
    public IProgress<ModelLoadProgress>? Progress { get; init; }
}
