namespace LoraServe.Training.Checkpoints;

/// <summary>A checkpoint cannot be written, or none that lies in a run's folder can be read.</summary>
/// <param name="file">The file or folder.</param>
/// <param name="problem">What is wrong and what to do.</param>
/// <param name="innerException">What was thrown.</param>
public sealed class CheckpointException(string file, string problem, Exception? innerException = null)
    : Exception($"{file}: {problem}", innerException)
{
    /// <summary>The file or folder.</summary>
    public string File { get; } = file;
}
