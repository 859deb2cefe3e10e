using LoraServe.Adapters;
using LoraServe.Adapters.Loading;
using LoraServe.Compute.Files;
using LoraServe.Models;
using LoraServe.Serving.Requests;
using Microsoft.Extensions.Logging;

namespace LoraServe.Serving.Store.Files;

/// <summary>The files of adapters, known by their digest: put here once whoever sends them, or noted where the operator has them.</summary>
/// <remarks>
/// In the store's folder lie <c>adapters/DIGEST</c>, the files that were put; <c>adapters/DIGEST.place</c>, where files lie that are used where they
/// are; and <c>uploads</c>, what is on its way. Nobody else knows that. A place is only where to look: what is opened is checked against
/// its digest, so files that were replaced are never served as what they were. Any thread may call.
/// </remarks>
internal sealed class LocalFiles : IDisposable
{
    private const string PlaceSuffix = ".place";

    // No path holds it.
    private const char Separator = '\0';

    // One change of what lies on the disk at a time. Taken before the other lock, which is never held while the disk is asked.
    private readonly Lock _disk = new();
    private readonly Lock _lock = new();
    private readonly StoreFolder? _folder;
    private readonly Transformer _model;
    private readonly AdapterLimits _limits;
    private readonly string? _root;
    private readonly DeletionQueue _deletions;
    private readonly string _uploads;
    private readonly string _stored;

    // Who needs what was put, counted; and where else files of a digest may be found.
    private readonly Dictionary<string, int> _holders = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string[]> _places = new(StringComparer.Ordinal);

    /// <param name="folder">Where files are kept; null: none can be put, and places are not known after a restart.</param>
    /// <param name="model">What adapters are loaded for.</param>
    /// <param name="limits">What adapters may ask for.</param>
    /// <param name="logger">Where to log.</param>
    /// <param name="root">The operator's folder of adapters; null: there is none.</param>
    public LocalFiles(StoreFolder? folder, Transformer model, AdapterLimits limits, ILogger logger, string? root = null)
    {
        _root = root is null ? null : Path.GetFullPath(root);
        _folder = folder;
        _model = model;
        _limits = limits;
        _uploads = Path.Combine(folder?.FullPath ?? "", "uploads");
        _stored = Path.Combine(folder?.FullPath ?? "", "adapters");
        _deletions = new DeletionQueue(DeleteUnlessHeld, logger);
        foreach (string file in PlaceFiles())
        {
            _places[Path.GetFileNameWithoutExtension(file)] = ReadPlaces(file);
        }
    }

    /// <summary>Whether files can be put.</summary>
    public bool CanPut => _folder is not null;

    /// <summary>Everything that was put, by digest; from older servers also by other names.</summary>
    public IEnumerable<string> Stored() => Entries(_stored).Select(folder => Path.GetFileName(folder)!);

    /// <summary>A folder for files on their way; not made yet.</summary>
    public string NewUpload() => Path.Combine(_uploads, Guid.NewGuid().ToString("n"));

    /// <summary>What an adapter may ask for where it lies: what was sent is made of nothing but what came with it, and what is below the adapter root of nothing beyond that.</summary>
    public AdapterLimits LimitsOf(string path)
    {
        path = Path.GetFullPath(path);
        return _folder is { } store && IsBelow(store.FullPath) ? _limits with { Root = path }
            : _root is { } root && IsBelow(root) ? _limits with { Root = root }
            : _limits;

        bool IsBelow(string folder) => path.StartsWith(Path.TrimEndingDirectorySeparator(folder) + Path.DirectorySeparatorChar, StringComparison.Ordinal);
    }

    /// <summary>What a caller is told of files: not where they lie.</summary>
    public static string Told(string message, string path, string shown, AdapterLimits limits)
    {
        message = message.Replace(path, shown, StringComparison.Ordinal);
        return limits.Root is { } root ? message.Replace(root + Path.DirectorySeparatorChar, "", StringComparison.Ordinal) : message;
    }

    /// <summary>The digest of files of this machine.</summary>
    /// <exception cref="AdapterFormatException">They cannot be read.</exception>
    public string DigestOf(string path) => AdapterLoader.DigestOf(path, LimitsOf(path));

    /// <summary>Takes over the files of an upload, which are on the disk, and holds them: they are there whole when this returns, and checked.</summary>
    /// <param name="digest">Their digest.</param>
    /// <param name="upload">Where they lie; gone afterwards.</param>
    /// <exception cref="EngineException">It cannot be done, and nothing was changed.</exception>
    public void Put(string digest, string upload) => _folder!.Write("keep the files", () =>
    {
        if (!Has(upload, digest))
        {
            throw new IOException($"The files in {upload} are not those with digest {digest}.");
        }

        string kept = Path.Combine(_stored, digest);
        lock (_disk)
        {
            if (Has(kept, digest))
            {
                Delete(upload); // the same were sent before
            }
            else
            {
                Delete(kept); // damaged
                Take(upload, kept);
            }

            Hold(digest);
        }
    });

    /// <summary>Notes that files lie in a place of the operator's, and stay there.</summary>
    /// <exception cref="EngineException">It cannot be written.</exception>
    public void Note(string digest, string path)
    {
        lock (_disk)
        {
            string[] places = Noted(digest);
            if (places.Contains(path))
            {
                return;
            }

            places = [path, .. places];
            _folder?.Write("note where the files are", () =>
            {
                MakeFolder();
                AtomicFile.WriteAllText(Path.Combine(_stored, digest + PlaceSuffix), string.Join(Separator, places));
            });
            lock (_lock)
            {
                _places[digest] = places;
            }
        }
    }

    /// <summary>Takes in files as lists of older servers name them: by where they lie.</summary>
    /// <param name="digest">Their digest.</param>
    /// <param name="path">Where the list says that they are.</param>
    /// <param name="wasSent">Whether a caller sent them: then they lie in this folder, wherever it was when they came.</param>
    public void TakeIn(string digest, string path, bool wasSent)
    {
        string from = wasSent ? Path.Combine(_stored, Path.GetFileName(path)) : Path.GetFullPath(path);
        try
        {
            if (!wasSent)
            {
                Note(digest, from);
            }
            else if (Directory.Exists(from) && !Directory.Exists(Path.Combine(_stored, digest)))
            {
                _folder!.Write("keep the files", () => AtomicFile.Move(from, Path.Combine(_stored, digest)));
            }
        }
        catch (EngineException)
        {
            // They are found where they are, and taken in by a start that can write.
            lock (_lock)
            {
                _places[digest] = [from, .. _places.GetValueOrDefault(digest, [])];
            }
        }
    }

    /// <summary>Counts somebody who needs files that were put.</summary>
    public void Hold(string digest)
    {
        lock (_lock)
        {
            _holders[digest] = _holders.GetValueOrDefault(digest) + 1;
        }
    }

    /// <summary>Counts one who needs files no more; those that nobody needs are deleted soon. Never waits for the disk.</summary>
    public void Release(string digest)
    {
        if (Forget(digest))
        {
            _deletions.Add(Path.Combine(_stored, digest));
        }
    }

    /// <summary>Gives back what <see cref="Put(string, string)"/> took over a moment ago. Files that nobody needs are gone when this returns.</summary>
    public void Discard(string digest)
    {
        lock (_disk)
        {
            if (Forget(digest))
            {
                Delete(Path.Combine(_stored, digest));
            }
        }
    }

    /// <summary>Loads the adapter with a digest.</summary>
    /// <param name="digest">The digest.</param>
    /// <param name="shown">What callers know its files as, and are told instead of where they lie.</param>
    /// <exception cref="AdapterFormatException">Its files are nowhere, damaged, or others now.</exception>
    public Adapter Open(string digest, string shown)
    {
        AdapterFormatException? failure = null;
        foreach (string place in Places(digest).Where(Path.Exists))
        {
            try
            {
                Adapter adapter = AdapterLoader.Load(place, _model, LimitsOf(place));
                if (adapter.Digest == digest)
                {
                    return adapter;
                }

                failure = Changed(shown, digest, adapter.Digest);
            }
            catch (Exception damage) when (damage is AdapterFormatException or IOException or UnauthorizedAccessException)
            {
                failure = new AdapterFormatException(Told(damage.Message, place, shown, LimitsOf(place)), damage);
            }
        }

        throw failure ?? Missing(shown);
    }

    /// <summary>Where files with a digest lie now, for who reads them without this store.</summary>
    /// <param name="digest">The digest.</param>
    /// <param name="shown">What callers know them as.</param>
    /// <exception cref="AdapterFormatException">They are nowhere, or others now.</exception>
    public string Find(string digest, string shown)
    {
        string[] there = [.. Places(digest).Where(Path.Exists)];
        return there.FirstOrDefault(place => Has(place, digest)) ?? throw (there.Length == 0 ? Missing(shown) : Changed(shown, digest));
    }

    /// <summary>Whether there is something where files with a digest should be, without looking into it.</summary>
    /// <param name="digest">The digest.</param>
    /// <param name="places">Where that is.</param>
    public bool IsThere(string digest, out string places)
    {
        string[] all = Places(digest);
        places = string.Join(" or ", all);
        return all.Any(Path.Exists);
    }

    /// <summary>Deletes what nobody names: uploads that were cut off, and files of versions that went.</summary>
    /// <param name="named">What is named: digests, from older servers also other names of what was put.</param>
    /// <param name="leavesUnnamed">Whether files that nobody names stay, for a list that is damaged and may be restored.</param>
    /// <param name="left">Folders that could not be deleted or were left.</param>
    /// <returns>How many folders went.</returns>
    public int Sweep(IEnumerable<string> named, bool leavesUnnamed, out IReadOnlyList<string> left)
    {
        left = [];
        if (_folder is not { Fault: null })
        {
            return 0;
        }

        HashSet<string> stay = [.. named];
        HashSet<string> used = [.. _places.Values.SelectMany(places => places)];
        string[] unnamed = [.. Entries(_stored).Where(folder => !stay.Contains(Path.GetFileName(folder)) && !used.Contains(folder))];
        string[] cut = Entries(_uploads);
        string[] sweepable = leavesUnnamed ? cut : [.. cut, .. unnamed];
        left = [.. sweepable.Where(folder => !Delete(folder)), .. unnamed.Except(sweepable)];
        Delete(_uploads);
        foreach (string digest in leavesUnnamed ? [] : _places.Keys.Where(digest => !stay.Contains(digest)).ToArray())
        {
            DeleteFile(Path.Combine(_stored, digest + PlaceSuffix));
            _places.Remove(digest);
        }

        return sweepable.Count(folder => !Directory.Exists(folder));
    }

    /// <summary>Returns when all that is to be deleted is.</summary>
    public void Dispose() => _deletions.Dispose();

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

    private static AdapterFormatException Missing(string shown) => new($"{shown}: its files are not there any more. Put them back, or publish it again.");

    private static AdapterFormatException Changed(string shown, string digest, string? found = null) =>
        new($"{shown}: its files have changed since it was published{(found is null ? "" : $" (digest {found}, expected {digest})")}. Publish them as a new version.");

    private static string[] Entries(string folder)
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

    private static string[] ReadPlaces(string file)
    {
        try
        {
            return File.ReadAllText(file).Split(Separator, StringSplitOptions.RemoveEmptyEntries);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    private static void DeleteFile(string file)
    {
        try
        {
            File.Delete(file);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // The next start tries again.
        }
    }

    private string[] PlaceFiles()
    {
        try
        {
            return _folder is not null && Directory.Exists(_stored) ? Directory.GetFiles(_stored, $"*{PlaceSuffix}") : [];
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    // What was put is the store's own, so it comes first.
    private string[] Places(string digest) => CanPut ? [Path.Combine(_stored, digest), .. Noted(digest)] : Noted(digest);

    private string[] Noted(string digest)
    {
        lock (_lock)
        {
            return _places.GetValueOrDefault(digest, []);
        }
    }

    private bool IsHeld(string digest)
    {
        lock (_lock)
        {
            return _holders.ContainsKey(digest);
        }
    }

    private bool Has(string path, string digest)
    {
        try
        {
            return Path.Exists(path) && DigestOf(path) == digest;
        }
        catch (AdapterFormatException)
        {
            return false;
        }
    }

    private void Take(string upload, string kept)
    {
        try
        {
            MakeFolder();
            AtomicFile.Move(upload, kept);
        }
        catch
        {
            Delete(kept);
            throw;
        }
    }

    private void MakeFolder()
    {
        if (!Directory.Exists(_stored))
        {
            Directory.CreateDirectory(_stored);
            AtomicFile.FlushFolder(Path.GetDirectoryName(_stored)!);
        }
    }

    // Whether nobody needs it any more.
    private bool Forget(string digest)
    {
        lock (_lock)
        {
            int holders = _holders.GetValueOrDefault(digest) - 1;
            _holders[digest] = holders;
            return holders <= 0 && _holders.Remove(digest);
        }
    }

    // The same files may have been put again before their turn to be deleted.
    private void DeleteUnlessHeld(string folder)
    {
        lock (_disk)
        {
            if (!IsHeld(Path.GetFileName(folder)))
            {
                Directory.Delete(folder, recursive: true);
            }
        }
    }
}
