using LoraServe.Compute.Files;
using LoraServe.Serving.Requests;
using LoraServe.Serving.Store.Names;
using LoraServe.Serving.Store.Versions;

namespace LoraServe.Serving.Store.Files;

/// <summary>A store on disk: the list of names and the files that callers sent. One server has it at a time.</summary>
internal sealed class StoreFolder : IDisposable
{
    private readonly string _uploads;
    private readonly string _kept;
    private readonly NamesFile _list;
    private readonly FolderLock? _lock;

    /// <summary>Takes the folder.</summary>
    /// <param name="folder">The folder; made where it is not there.</param>
    /// <param name="time">The clock.</param>
    /// <exception cref="EngineException">Another server has it.</exception>
    public StoreFolder(string folder, TimeProvider time)
    {
        folder = Path.GetFullPath(folder);
        _uploads = Path.Combine(folder, "uploads");
        _kept = Path.Combine(folder, "adapters");
        _list = new NamesFile(folder, time);
        try
        {
            Directory.CreateDirectory(folder);
            _lock = FolderLock.Take(folder);
        }
        catch (FolderInUseException taken)
        {
            throw new EngineException(EngineError.StorageFailed, $"The adapters' store is taken. {taken.Message}", taken);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // What can be read is served. Who cannot write cannot overwrite another's list either.
            Fault = $"{folder} cannot be written ({failure.Message}), so names cannot be changed.";
        }
    }

    /// <summary>Why nothing can be written; null where it can.</summary>
    public string? Fault { get; }

    /// <inheritdoc cref="NamesFile.Load"/>
    public NamesList Load(Func<AdapterManifest, AdapterVersion> create)
    {
        // Files that were sent lie in this folder, wherever it was when they came.
        NamesList list = _list.Load(manifest => create(
            manifest with { Path = manifest.Source == AdapterSource.Upload ? Path.Combine(_kept, Path.GetFileName(manifest.Path)) : Path.GetFullPath(manifest.Path) }));
        return list.SaysWhatIsKept ? list : list with { Names = list.Names.WithKept(Folders(_kept).Select(folder => Path.GetFileName(folder)!)) };
    }

    /// <summary>Replaces the list of names. It is on the disk when this returns, and as it was before when this fails.</summary>
    /// <exception cref="EngineException">It cannot be written.</exception>
    public void Save(AdapterNames names) => OnDisk("write its list of adapters", () => _list.Save(names));

    /// <summary>Where the files of an upload are to go.</summary>
    public string NewUpload() => Path.Combine(_uploads, Guid.NewGuid().ToString("n"));

    /// <summary>Moves the files of an upload, which are on the disk, to where those of versions are kept.</summary>
    /// <returns>The folder, which is on the disk under that name.</returns>
    /// <exception cref="EngineException">It cannot be done; the files are gone or as they were.</exception>
    public string Keep(string name, string upload)
    {
        string kept = Path.Combine(_kept, $"{name}-{Path.GetFileName(upload)}");
        OnDisk("keep the files", () =>
        {
            try
            {
                if (!Directory.Exists(_kept))
                {
                    Directory.CreateDirectory(_kept);
                    AtomicFile.FlushFolder(Path.GetDirectoryName(_kept)!);
                }

                AtomicFile.Move(upload, kept);
            }
            catch
            {
                Delete(kept);
                throw;
            }
        });
        return kept;
    }

    /// <summary>Gives back what <see cref="Keep"/> kept, unless the list on disk may name it.</summary>
    public void Discard(string kept)
    {
        if (!_list.IsUncertain)
        {
            Delete(kept);
        }
    }

    /// <summary>Deletes what no list names: uploads that were cut off, and files of versions that went. Whoever restores a damaged list finds its files.</summary>
    /// <param name="names">What the list says.</param>
    /// <param name="left">Folders that could not be deleted or were left for a list that is damaged.</param>
    /// <returns>How many folders went.</returns>
    public int Sweep(AdapterNames names, out IReadOnlyList<string> left)
    {
        left = [];
        if (Fault is not null)
        {
            return 0;
        }

        HashSet<string> named = [.. names.Versions.Select(version => version.Manifest.Path), .. names.Kept.Select(folder => Path.Combine(_kept, folder))];
        string[] unnamed = [.. Folders(_kept).Where(folder => !named.Contains(folder))];
        string[] cut = Folders(_uploads);
        string[] sweepable = _list.HasDamaged ? cut : [.. cut, .. unnamed];
        left = [.. sweepable.Where(folder => !Delete(folder)), .. unnamed.Except(sweepable)];
        Delete(_uploads);
        return sweepable.Count(folder => !Directory.Exists(folder));
    }

    /// <inheritdoc />
    public void Dispose() => _lock?.Dispose();

    private static string[] Folders(string folder)
    {
        try
        {
            return Directory.Exists(folder) ? Directory.GetDirectories(folder) : [];
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    /// <summary>Deletes a folder, as far as that is possible.</summary>
    /// <returns>Whether it is gone.</returns>
    public static bool Delete(string folder)
    {
        try
        {
            if (Directory.Exists(folder))
            {
                Directory.Delete(folder, recursive: true);
            }

            return true;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // It takes disk space only, and the next start tries again.
            return false;
        }
    }

    private void OnDisk(string what, Action write)
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

    /// <summary>What a caller is told of a disk that fails: not where its files lie.</summary>
    public static EngineException StorageFailed(string what, Exception failure) =>
        new(EngineError.StorageFailed, $"The server could not {what}, so nothing was changed. Its log says why; try again when its disk takes writes.", failure);
}
