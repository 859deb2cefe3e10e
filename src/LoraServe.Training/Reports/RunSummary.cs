namespace LoraServe.Training.Reports;

/// <summary>What a run was, what it cost and what came of it.</summary>
public sealed record RunSummary
{
    /// <summary>What the report is called, such as the adapter's name.</summary>
    public required string Name { get; init; }

    /// <summary>The base model.</summary>
    public required string Model { get; init; }

    /// <summary>The method, such as <c>LoRA</c>.</summary>
    public required string Method { get; init; }

    /// <summary>Parameters that were trained.</summary>
    public required long TrainableParameters { get; init; }

    /// <summary>All parameters that the trained model computes with: the base's and the adapter's.</summary>
    public required long AllParameters { get; init; }

    /// <summary>Bytes of the base's weights in memory.</summary>
    public long BaseBytes { get; init; }

    /// <summary>Bytes of the adapter's files.</summary>
    public long AdapterBytes { get; init; }

    /// <summary>The most memory that the process had, in bytes.</summary>
    public long PeakMemoryBytes { get; init; }

    /// <summary>The adapted weights' ranks; empty for methods without.</summary>
    public IReadOnlyList<LayerRank> Ranks { get; init; } = [];

    /// <summary>Rows that were cut to the maximum length.</summary>
    public int CutRows { get; init; }

    /// <summary>Rows that were left out, being too long or having nothing to learn.</summary>
    public int SkippedRows { get; init; }

    /// <summary>Tokens trained on.</summary>
    public long Tokens { get; init; }

    /// <summary>Time spent on steps.</summary>
    public TimeSpan TrainingTime { get; init; }

    /// <summary>Time spent on evaluation.</summary>
    public TimeSpan EvaluationTime { get; init; }

    /// <summary>The trained model's score on the evaluation rows; null where none was measured.</summary>
    public double? Score { get; init; }

    /// <summary>The base's score on the same rows; null where it is not known.</summary>
    public double? BaseScore { get; init; }

    /// <summary>The score of full fine-tuning on the same data; null where it is not known.</summary>
    public double? FullScore { get; init; }

    /// <summary>Settings worth showing, in order.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Settings { get; init; } = [];

    /// <summary>Trainable parameters over all parameters.</summary>
    public double ParameterEfficiency => AllParameters > 0 ? (double)TrainableParameters / AllParameters : double.NaN;

    /// <summary>The score over that of full fine-tuning; null where either is unknown.</summary>
    public double? Attainment => FullScore > 0 ? Score / FullScore : null;

    /// <summary><see cref="Attainment"/> over <see cref="ParameterEfficiency"/>: how much of full fine-tuning each trained share buys.</summary>
    public double? ReturnOnParameters => ParameterEfficiency > 0 ? Attainment / ParameterEfficiency : null;
}
