namespace LoraServe.Compute.Files;

/// <summary>A folder that one owner at a time may use. The operating system frees it when a process ends, however that happens.</summary>
public sealed class FolderLock : IDisposable
{
    /// <summary>The file that is held open. It stays when the folder is free: who deletes it could free a folder that another has taken meanwhile.</summary>
    private const string FileName = ".lock";

    /// <summary>What a file that others hold is refused with: EAGAIN of Linux and macOS, a sharing violation of Windows.</summary>
    private static readonly int[] s_held = [11, 35, unchecked((int)0x80070020)];

    private readonly FileStream _file;

    private FolderLock(FileStream file) => _file = file;

    /// <summary>Takes a folder until the result is disposed or the process ends.</summary>
    /// <param name="folder">A folder that exists.</param>
    /// <exception cref="FolderInUseException">Somebody has it.</exception>
    /// <exception cref="IOException">It cannot be taken, as on a disk that cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be written.</exception>
    public static FolderLock Take(string folder)
    {
        ArgumentNullException.ThrowIfNull(folder);
        try
        {
            return new FolderLock(new FileStream(Path.Combine(folder, FileName), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
        }
        catch (IOException held) when (s_held.Contains(held.HResult))
        {
            throw new FolderInUseException(folder, held);
        }
    }

    /// <summary>Frees the folder.</summary>
    public void Dispose() => _file.Dispose();
}
