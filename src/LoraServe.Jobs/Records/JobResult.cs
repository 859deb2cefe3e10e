using LoraServe.Training.Reports;

namespace LoraServe.Jobs.Records;

/// <summary>What a job cost and brought.</summary>
public sealed record JobResult
{
    /// <summary>Parameters that were trained.</summary>
    public long TrainableParameters { get; init; }

    /// <summary>The base's and the adapter's parameters.</summary>
    public long AllParameters { get; init; }

    /// <summary>Bytes of the adapter's files.</summary>
    public long AdapterBytes { get; init; }

    /// <summary>Bytes of the base's weights in memory.</summary>
    public long BaseBytes { get; init; }

    /// <summary>The most memory that the process had, in bytes.</summary>
    public long PeakMemoryBytes { get; init; }

    /// <summary>Tokens trained on.</summary>
    public long Tokens { get; init; }

    /// <summary>Time spent on steps, in seconds.</summary>
    public double TrainingSeconds { get; init; }

    /// <summary>Time spent on evaluation, in seconds.</summary>
    public double EvaluationSeconds { get; init; }

    /// <summary>Share of validation rows that the base alone answered exactly, 0 to 1; null where it is not known.</summary>
    public double? BaseScore { get; init; }

    /// <summary>Share of validation rows that the result answered exactly, 0 to 1; null where it is not known.</summary>
    public double? Score { get; init; }

    /// <summary>What is kept of a run's summary.</summary>
    public static JobResult Of(RunSummary summary)
    {
        ArgumentNullException.ThrowIfNull(summary);
        return new JobResult
        {
            TrainableParameters = summary.TrainableParameters,
            AllParameters = summary.AllParameters,
            AdapterBytes = summary.AdapterBytes,
            BaseBytes = summary.BaseBytes,
            PeakMemoryBytes = summary.PeakMemoryBytes,
            Tokens = summary.Tokens,
            TrainingSeconds = summary.TrainingTime.TotalSeconds,
            EvaluationSeconds = summary.EvaluationTime.TotalSeconds,
            BaseScore = summary.BaseScore,
            Score = summary.Score,
        };
    }
}
