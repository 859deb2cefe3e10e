namespace LoraServe.Models.Config;

/// <summary>A model's configuration or set of tensors is damaged, contradicts itself or describes what is not supported.</summary>
/// <param name="file">The file or directory, as the caller named it.</param>
/// <param name="problem">Which field or tensor is wrong, what was found and what was expected.</param>
/// <param name="innerException">What reading it threw.</param>
public sealed class ModelFormatException(string file, string problem, Exception? innerException = null)
    : Exception($"{file}: {problem}", innerException)
{
    /// <summary>The file or directory, as the caller named it.</summary>
    public string File { get; } = file;
}
