namespace LoraServe.Studio.Benchmarks;

/// <summary>One measurement of a method's training speed.</summary>
public sealed record TrainingBenchmarkResult
{
    /// <summary>Which benchmark.</summary>
    public string Bench { get; } = "train";

    /// <summary>The model's name.</summary>
    public required string Model { get; init; }

    /// <summary>The method.</summary>
    public required string Method { get; init; }

    /// <summary>The data set's file, or the shape of random rows.</summary>
    public required string Data { get; init; }

    /// <summary>Rows of a step.</summary>
    public required int BatchRows { get; init; }

    /// <summary>Adapters that trained side by side, in the same batches.</summary>
    public required int Adapters { get; init; }

    /// <summary>Tokens a second over all steps, prompts and answers alike.</summary>
    public required double TokensPerS { get; init; }

    /// <summary>Rows a second over all steps.</summary>
    public required double RowsPerS { get; init; }

    /// <summary>In the best step: time that the base's forward pass and its way back (to weights too, where they are trained) take at the device's measured peak, over the step's.</summary>
    public required double RatioToFloatPeak { get; init; }

    /// <summary>The same in the median step.</summary>
    public required double MedianRatioToFloatPeak { get; init; }

    /// <summary>The most memory that the process had.</summary>
    public required long PeakMemoryBytes { get; init; }

    /// <summary>Bytes of the base's weights.</summary>
    public required long BaseBytes { get; init; }

    /// <summary>Where it ran.</summary>
    public required BenchmarkMachine Machine { get; init; }
}
