namespace LoraServe.Compute.Files;

/// <summary>A folder that another process uses, or this one a second time.</summary>
/// <param name="folder">The folder.</param>
/// <param name="innerException">What the system said.</param>
public sealed class FolderInUseException(string folder, Exception? innerException = null)
    : IOException($"The folder {folder} is in use by another server. Stop that one, or give this one a folder of its own.", innerException)
{
    /// <summary>The folder.</summary>
    public string Folder { get; } = folder;
}
