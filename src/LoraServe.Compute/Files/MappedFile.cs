using System.IO.MemoryMappedFiles;
using LoraServe.Compute.Memory;

namespace LoraServe.Compute.Files;

/// <summary>A whole file mapped read-only into memory, until disposed or no tensor refers to it any more.</summary>
/// <remarks>The file must not be shortened while it is mapped: the operating system then ends the process on access.</remarks>
internal sealed unsafe class MappedFile : IDisposableMemory
{
    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor? _view;

    private MappedFile(MemoryMappedFile file, long length)
    {
        _file = file;
        _view = file.CreateViewAccessor(0, length, MemoryMappedFileAccess.Read);
        byte* pointer = null;
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref pointer);
        Pointer = pointer + _view.PointerOffset;
        Length = length;
    }

    /// <summary>Unmaps a file that nobody disposed.</summary>
    ~MappedFile() => Release();

    /// <summary>The first byte.</summary>
    public byte* Pointer { get; }

    /// <summary>Size in bytes.</summary>
    public long Length { get; }

    /// <inheritdoc />
    public bool IsDisposed { get; private set; }

    /// <summary>Maps the file at <paramref name="path"/>.</summary>
    /// <exception cref="TensorFileException">It is missing, unreadable or empty.</exception>
    public static MappedFile Open(string path)
    {
        try
        {
            var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, bufferSize: 0);
            long length = stream.Length;
            if (length == 0)
            {
                stream.Dispose();
                throw new TensorFileException(path, "the file is empty");
            }

            return new MappedFile(MemoryMappedFile.CreateFromFile(stream, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: false), length);
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new TensorFileException(path, "is not there", error);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw new TensorFileException(path, $"cannot be read: {error.Message}", error);
        }
    }

    /// <inheritdoc />
    public void Dispose()
    {
        Release();
        GC.SuppressFinalize(this);
    }

    private void Release()
    {
        if (!IsDisposed)
        {
            // Without a view where the system gave none: then this is the finalizer, which must not fail.
            IsDisposed = true;
            _view?.SafeMemoryMappedViewHandle.ReleasePointer();
            _view?.Dispose();
            _file.Dispose();
        }
    }
}
