namespace LoraServe.Compute.Files;

/// <summary>A file of tensors is missing, damaged, hostile or of a kind that is not supported.</summary>
/// <param name="file">The file, as the caller named it.</param>
/// <param name="problem">Which part is wrong, what was found and what was expected.</param>
/// <param name="innerException">What reading it threw.</param>
public sealed class TensorFileException(string file, string problem, Exception? innerException = null)
    : Exception($"{file}: {problem}", innerException)
{
    /// <summary>The file, as the caller named it.</summary>
    public string File { get; } = file;
}
