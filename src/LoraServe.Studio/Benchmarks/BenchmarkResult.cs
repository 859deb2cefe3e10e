using System.Text.Json.Serialization;

namespace LoraServe.Studio.Benchmarks;

/// <summary>One measurement of speed.</summary>
public sealed record BenchmarkResult
{
    /// <summary>Which benchmark.</summary>
    public required string Bench { get; init; }

    /// <summary>The model's name.</summary>
    public required string Model { get; init; }

    /// <summary>Sequences in the batch.</summary>
    public required int Batch { get; init; }

    /// <summary>Distinct adapters in the batch.</summary>
    public int Adapters { get; init; }

    /// <summary>Their rank; 0 without adapters.</summary>
    public int Rank { get; init; }

    /// <summary>The linear maps that they change, as PEFT names them; none without adapters.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? Targets { get; init; }

    /// <summary>Tokens of each prompt.</summary>
    public required int PromptTokens { get; init; }

    /// <summary>Tokens a second over all sequences, in the best repetition: other processes only ever slow a benchmark down.</summary>
    public required double TokensPerS { get; init; }

    /// <summary>The same in the median repetition.</summary>
    public required double MedianTokensPerS { get; init; }

    /// <summary>Best speed over the one at which memory can deliver weights, distinct adapters, keys and values.</summary>
    public required double RatioToBandwidth { get; init; }

    /// <summary>Best speed over the one at which the base's multiply-adds can be done; integer kernels can exceed it.</summary>
    public required double RatioToFloatPeak { get; init; }

    /// <summary>Which of the two limits is the nearer one: no speed can be above it.</summary>
    public string Binds => RatioToBandwidth >= RatioToFloatPeak ? "memory" : "peak";

    /// <summary>Median over all repetitions of the speed over the same batch's without adapters just before it.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? RatioToNoAdapters { get; init; }

    /// <summary>Managed memory allocated for each token once warm; the goal is none.</summary>
    public required double AllocatedBytesPerToken { get; init; }

    /// <summary>Where it ran.</summary>
    public required BenchmarkMachine Machine { get; init; }
}
