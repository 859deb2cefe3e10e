using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace LoraServe.Compute.Files;

/// <summary>Durable files: one that is written is there whole or as it was before, also after a kill or a power cut, and once a call returns it stays.</summary>
/// <remarks>
/// The bytes go to a temporary file beside it, which is flushed, takes the name, and the folder is flushed: without the last, the name
/// itself may be lost. Two writers of one path must not run at once. What fails throws as the file system does.
/// </remarks>
public static partial class AtomicFile
{
    private const string TemporarySuffix = ".tmp";
    private static readonly UTF8Encoding s_utf8 = new(encoderShouldEmitUTF8Identifier: false);

    /// <summary>Told of each step before it is taken. Tests throw from it what a full or failing disk throws; it flows with a test's own calls only.</summary>
    internal static AsyncLocal<Action<DiskStep, string>?> Before { get; } = new();

    /// <summary>Writes or replaces a file.</summary>
    /// <param name="path">The file; its folder is there.</param>
    /// <param name="write">Writes the whole content.</param>
    /// <exception cref="IOException">Nothing changed; only where the folder's own flush fails, the new file may be in place already.</exception>
    /// <exception cref="UnauthorizedAccessException">Nothing changed: the file may not be written.</exception>
    public static void Write(string path, Action<Stream> write)
    {
        ArgumentNullException.ThrowIfNull(write);
        string temporary = path + TemporarySuffix;
        try
        {
            using (FileStream stream = Create(temporary))
            {
                write(stream);
                Flush(stream);
            }

            Rename(temporary, path);
        }
        catch
        {
            DeleteIfThere(temporary);
            throw;
        }

        FlushFolder(FolderOf(path));
    }

    /// <summary>Writes or replaces a file of text, in UTF-8 without a mark.</summary>
    /// <inheritdoc cref="Write" path="/exception"/>
    public static void WriteAllText(string path, string text) => WriteAllBytes(path, s_utf8.GetBytes(text));

    /// <summary>Writes or replaces a file of bytes.</summary>
    /// <inheritdoc cref="Write" path="/exception"/>
    public static void WriteAllBytes(string path, ReadOnlyMemory<byte> bytes) => Write(path, stream => stream.Write(bytes.Span));

    /// <summary>Makes an empty file, in place of one that is there. For content that comes in parts: flush it, then move it to its name.</summary>
    public static FileStream Create(string path)
    {
        Before.Value?.Invoke(DiskStep.Create, path);
        return new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.Read);
    }

    /// <summary>Sends what was written to the disk, and waits for it.</summary>
    public static void Flush(FileStream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        Before.Value?.Invoke(DiskStep.Flush, stream.Name);
        stream.Flush(flushToDisk: true);
    }

    /// <summary>Gives a flushed file or folder another name, in place of a file that has it, and keeps that through a power cut.</summary>
    /// <param name="from">A file or folder.</param>
    /// <param name="to">Its new path, on the same file system.</param>
    public static void Move(string from, string to)
    {
        Rename(from, to);
        FlushFolder(FolderOf(to));
        if (FolderOf(from) != FolderOf(to))
        {
            FlushFolder(FolderOf(from));
        }
    }

    /// <summary>Sends the names in a folder to the disk. Where the system has no such call, its file system keeps them by itself.</summary>
    public static void FlushFolder(string folder)
    {
        Before.Value?.Invoke(DiskStep.FlushFolder, folder);
        if (!OperatingSystem.IsWindows())
        {
            FlushOpenFolder(folder);
        }
    }

    private static void Rename(string from, string to)
    {
        Before.Value?.Invoke(DiskStep.Rename, to);
        if (Directory.Exists(from))
        {
            Directory.Move(from, to);
        }
        else
        {
            File.Move(from, to, overwrite: true);
        }
    }

    private static string FolderOf(string path) => Path.GetDirectoryName(Path.GetFullPath(path))!;

    private static void DeleteIfThere(string temporary)
    {
        try
        {
            File.Delete(temporary);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // What is left is overwritten by the next attempt; the caller hears of what failed first.
        }
    }

    [UnsupportedOSPlatform("windows")]
    private static void FlushOpenFolder(string folder)
    {
        // .NET opens no folders, and 0 is read-only on every Unix.
        int descriptor = Open(folder, 0);
        if (descriptor < 0)
        {
            throw new IOException($"The folder {folder} cannot be opened to be flushed: {Marshal.GetLastPInvokeErrorMessage()}.");
        }

        using var handle = new SafeFileHandle(descriptor, ownsHandle: true);
        RandomAccess.FlushToDisk(handle);
    }

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int Open(string path, int flags);
}
