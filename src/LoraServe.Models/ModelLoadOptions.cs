using LoraServe.Compute;

namespace LoraServe.Models;

/// <summary>How a model is loaded.</summary>
public sealed record ModelLoadOptions
{
    /// <summary>What the weights are packed for.</summary>
    public Arithmetic Arithmetic { get; init; } = Arithmetic.Fast;

    /// <summary>Whether the layers' linear maps are rounded to NF4 with double quantisation (QLoRA, arXiv:2305.14314), whatever the file has.</summary>
    public bool RoundsToNf4 { get; init; }

    /// <summary>Threads that pack weights.</summary>
    public int Workers { get; init; } = Environment.ProcessorCount;

    /// <summary>Told after each weight that is ready, from any of the threads.</summary>
    public IProgress<ModelLoadProgress>? Progress { get; init; }
}
