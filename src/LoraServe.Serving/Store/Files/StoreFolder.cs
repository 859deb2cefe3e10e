using LoraServe.Compute.Files;
using LoraServe.Serving.Requests;

namespace LoraServe.Serving.Store.Files;

/// <summary>The folder that a local store of names and files lies in. One server has it at a time.</summary>
internal sealed class StoreFolder : IDisposable
{
    private readonly FolderLock? _lock;

    /// <summary>Takes the folder.</summary>
    /// <param name="folder">The folder; made where it is not there.</param>
    /// <exception cref="EngineException">Another server has it.</exception>
    public StoreFolder(string folder)
    {
        FullPath = Path.GetFullPath(folder);
        try
        {
            Directory.CreateDirectory(FullPath);
            _lock = FolderLock.Take(FullPath);
        }
        catch (FolderInUseException taken)
        {
            throw new EngineException(EngineError.StorageFailed, $"The adapters' store is taken. {taken.Message} It is the setting Engine.StoreFolder, or .store in the adapter root.", taken);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // What can be read is served. Who cannot write cannot overwrite another's list either.
            Fault = $"{FullPath} cannot be written ({failure.Message}), so names cannot be changed.";
        }
    }

    /// <summary>Where it is.</summary>
    public string FullPath { get; }

    /// <summary>Why nothing can be written; null where it can.</summary>
    public string? Fault { get; }

    /// <summary>Writes something in it.</summary>
    /// <param name="what">What is done, as callers are told when it fails.</param>
    /// <param name="write">Does it.</param>
    /// <exception cref="EngineException">It cannot be written.</exception>
    public void Write(string what, Action write)
    {
        try
        {
            if (Fault is not null)
            {
                throw new IOException(Fault);
            }

            write();
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw StorageFailed(what, failure);
        }
    }

    /// <inheritdoc />
    public void Dispose() => _lock?.Dispose();

    /// <summary>What a caller is told of a disk that fails: not where its files lie.</summary>
    public static EngineException StorageFailed(string what, Exception failure) =>
        new(EngineError.StorageFailed, $"The server could not {what}, so nothing was changed. Its log says why; try again when its disk takes writes.", failure);
}
