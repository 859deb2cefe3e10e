namespace LoraServe.Jobs.Records;

/// <summary>What a caller asks for, as it was asked for: null stands for what is usual, which <see cref="JobOptions"/> puts in.</summary>
/// <remarks>It is kept and shown as it came, so that a caller finds its own words again. Names are those of <c>job.json</c>.</remarks>
public sealed record JobRequest
{
    /// <summary>What is trained.</summary>
    public MethodRequest? Method { get; init; }

    /// <summary>How it is trained.</summary>
    public Hyperparameters? Hyperparameters { get; init; }

    /// <summary>Rows to train on.</summary>
    public DataSource? TrainingData { get; init; }

    /// <summary>Rows to evaluate on.</summary>
    public DataSource? ValidationData { get; init; }

    /// <summary>Instead of <see cref="ValidationData"/>: a share of the training rows.</summary>
    public double ValidationSplit { get; init; }

    /// <summary>Where the result is published; null: it stays in the job's folder.</summary>
    public PublishTarget? Publish { get; init; }

    /// <summary>Score of full fine-tuning on the same rows, 0 to 1.</summary>
    public double? FullScore { get; init; }

    /// <summary>The ids of the uploads that it names.</summary>
    internal IEnumerable<string> Uploads => new[] { TrainingData?.UploadId, ValidationData?.UploadId }.OfType<string>().Where(id => id.Length > 0);
}
