using System.Runtime.CompilerServices;
using System.Threading.Channels;
using LoraServe.Adapters;
using LoraServe.Adapters.Resident;
using LoraServe.Models;
using LoraServe.Serving.Store.Files;
using LoraServe.Serving.Store.Residency;
using Microsoft.Extensions.Logging;

namespace LoraServe.Serving.Store;

/// <summary>The adapters that an engine serves: names that point to immutable versions, and where each is in memory.</summary>
/// <remarks>
/// Publishing is atomic: a request runs from beginning to end on the version that it began with. Any thread may call.
/// Every failure is an <see cref="EngineException"/>.
/// </remarks>
public sealed partial class AdapterStore : IDisposable
{
    private const string RootName = "adapter root";

    private readonly Lock _lock = new();
    private readonly AdapterCatalog _catalog = new();
    private readonly DeletionQueue _deletions;
    private readonly AdapterMemory _memory;
    private readonly AdapterWatchers _watchers = new();
    private readonly CatalogFile? _file;
    private readonly AdapterTrial _trial;
    private readonly Transformer _model;
    private readonly EngineOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly SemaphoreSlim _publishing = new(1);
    private readonly Lock _writing = new();
    private EngineInstruments? _instruments;
    private int _lastSnapshot;
    private int _lastWritten;
    private readonly Dictionary<string, Task> _resolving = [];

    internal AdapterStore(Transformer model, EngineOptions options, ILogger logger, TimeProvider time)
    {
        _model = model;
        _options = options;
        _logger = logger;
        _time = time;
        _trial = new AdapterTrial(model, options.AdapterLimits);
        _deletions = new DeletionQueue(logger);
        _memory = new AdapterMemory(model, options, _deletions, time) { Happened = OnMemory };
        if (options.StoreFolder is { } folder)
        {
            Directory.CreateDirectory(folder);
            DeleteUnfinishedUploads();
            _file = new CatalogFile(folder);
            Restore(_file.Load());
        }
    }

    /// <summary>The memory set aside for resident adapters, in bytes. Can be changed at any time; a smaller one takes effect as requests end.</summary>
    public long BudgetBytes
    {
        get => _memory.BudgetBytes;
        set => _memory.BudgetBytes = value;
    }

    /// <summary>Bytes of resident adapters.</summary>
    public long ResidentBytes => _memory.ResidentBytes;

    /// <summary>Bytes of parsed adapters in host memory.</summary>
    public long HostBytes => _memory.HostBytes;

    /// <summary>Aliases and the versions that they point to, as <c>name@3</c>.</summary>
    public IReadOnlyDictionary<string, string> Aliases
    {
        get
        {
            lock (_lock)
            {
                return _catalog.Aliases.ToDictionary(alias => alias.Key, alias => $"{alias.Value.Name}@{alias.Value.Version}");
            }
        }
    }

    internal AdapterMemory Memory => _memory;

    /// <summary>Connects it with an engine, before there are requests.</summary>
    internal void Observe(EngineInstruments instruments, Action changed)
    {
        _instruments = instruments;
        _memory.Changed = changed;
        _memory.Loaded = instruments.AdapterLoaded;
        _memory.Used = instruments.AdapterUsed;
    }

    /// <summary>Publishes files that the operator names as the next version of a name.</summary>
    /// <param name="name">The name.</param>
    /// <param name="path">A PEFT directory or a GGUF adapter file.</param>
    /// <param name="options">How; null for the defaults.</param>
    /// <param name="cancellationToken">Gives up while waiting for other publishing.</param>
    public Task<PublishResult> PublishAsync(string name, string path, PublishOptions? options = null, CancellationToken cancellationToken = default) =>
        PublishAsync(name, Path.GetFullPath(path), AdapterSource.Directory, options ?? new PublishOptions(), cancellationToken);

    /// <summary>Publishes files that a caller names, who can only reach what lies below the adapter root.</summary>
    /// <param name="name">The name.</param>
    /// <param name="relativePath">Path relative to the adapter root.</param>
    /// <param name="options">How; null for the defaults.</param>
    /// <param name="cancellationToken">Gives up while waiting for other publishing.</param>
    public Task<PublishResult> PublishBelowRootAsync(string name, string relativePath, PublishOptions? options = null, CancellationToken cancellationToken = default) =>
        PublishAsync(name, RootedPath.Below(_options.AdapterRoot, relativePath, RootName), AdapterSource.Directory, options ?? new PublishOptions(), cancellationToken);

    /// <summary>Refuses now what publishing would refuse for its name, aliases or version, before work is put into the files.</summary>
    public void CheckPublish(string name, PublishOptions options)
    {
        lock (_lock)
        {
            _catalog.CheckPublish(name, options);
        }
    }

    /// <summary>Where the files of a version lie: a directory, or a GGUF file.</summary>
    public string FilesOf(string reference)
    {
        lock (_lock)
        {
            return _catalog.Get(reference).Manifest.Path;
        }
    }

    /// <summary>The latest version in service whose files lie at a path; null where none is published from there.</summary>
    public AdapterRecord? FindByFiles(string path)
    {
        path = Path.GetFullPath(path);
        lock (_lock)
        {
            return _catalog.Versions.LastOrDefault(version => version.Manifest.Path == path) is { } version ? Record(version) : null;
        }
    }

    /// <summary>Begins to take files from a caller, to be published when they are complete.</summary>
    public AdapterUpload BeginUpload(string name, PublishOptions? options = null)
    {
        options ??= new PublishOptions();
        if (_options.StoreFolder is not { } folder)
        {
            throw new EngineException(EngineError.InvalidUpload, "Uploads need a place to be kept. Start the server with a store folder.");
        }

        CheckPublish(name, options);

        string id = Guid.NewGuid().ToString("n");
        return new AdapterUpload(Path.Combine(UploadsFolder(folder), id), _options.MaxUploadBytes, async (files, cancellationToken) =>
        {
            string kept = Path.Combine(folder, "adapters", $"{name}-{id}");
            Directory.CreateDirectory(Path.GetDirectoryName(kept)!);
            Directory.Move(files, kept);
            try
            {
                return await PublishAsync(name, kept, AdapterSource.Upload, options, cancellationToken).ConfigureAwait(false);
            }
            catch
            {
                Directory.Delete(kept, recursive: true);
                throw;
            }
        });
    }

    /// <summary>Takes versions out of service. Requests that run on them finish; then their memory is free.</summary>
    /// <param name="reference"><c>name</c> for all versions, <c>name@3</c> for one.</param>
    /// <param name="deleteFiles">Also deletes files that came by upload.</param>
    /// <returns>What was taken out.</returns>
    public IReadOnlyList<AdapterRecord> Unload(string reference, bool deleteFiles = false)
    {
        AdapterVersion[] versions;
        AdapterRecord[] records;
        lock (_lock)
        {
            versions = _catalog.GetAll(reference);
            records = [.. versions.Select(Record)];
            foreach (AdapterVersion version in versions)
            {
                Remove(version, deleteFiles);
            }
        }

        Save();
        _memory.Settle();
        foreach (AdapterVersion version in versions)
        {
            LogUnloaded(version);
            Tell(AdapterEventType.Unloaded, version, "");
        }

        return records;
    }

    /// <summary>Everything in service whose name begins with a text, by name, then version.</summary>
    public IReadOnlyList<AdapterRecord> List(string prefix = "")
    {
        lock (_lock)
        {
            return [.. _catalog.Versions.Where(version => version.Manifest.Name.StartsWith(prefix, StringComparison.Ordinal)).Select(Record)];
        }
    }

    /// <summary>The version that a name, <c>name@3</c> or alias means now.</summary>
    public AdapterRecord Get(string reference)
    {
        lock (_lock)
        {
            return Record(_catalog.Get(reference));
        }
    }

    /// <summary>Keeps a version resident, or lets it go again.</summary>
    public AdapterRecord Pin(string reference, bool pinned)
    {
        AdapterVersion version;
        lock (_lock)
        {
            version = _catalog.Get(reference);
        }

        if (pinned)
        {
            _memory.CheckPin(version);
        }

        _memory.Pin(version, pinned);
        Save();
        return RecordOf(version);
    }

    /// <summary>Points an alias to a version, also back to an older one. Requests that run are not concerned.</summary>
    /// <param name="alias">The alias.</param>
    /// <param name="target"><c>name</c> (its latest version now) or <c>name@3</c>; empty removes the alias.</param>
    /// <returns>What it points to, as <c>name@3</c>; empty when removed.</returns>
    public string SetAlias(string alias, string target)
    {
        AdapterVersion? version = null;
        lock (_lock)
        {
            if (target.Length > 0)
            {
                version = _catalog.Get(target);
                _catalog.SetAlias(alias, version);
            }
            else if (!_catalog.RemoveAlias(alias))
            {
                throw new EngineException(EngineError.UnknownAdapter, $"There is no alias '{alias}'.");
            }
        }

        Save();
        string pointsTo = version?.ToString() ?? "";
        LogAlias(alias, pointsTo);
        _watchers.Tell(new AdapterEvent(AdapterEventType.AliasChanged, alias, version is null ? null : RecordOf(version), _time.GetUtcNow(), pointsTo));
        return pointsTo;
    }

    /// <summary>What happens to adapters from now on.</summary>
    /// <param name="includeExisting">Begins with one event for each version there is.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async IAsyncEnumerable<AdapterEvent> WatchAsync(bool includeExisting, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        Channel<AdapterEvent> channel;
        lock (_lock)
        {
            DateTimeOffset now = _time.GetUtcNow();
            channel = _watchers.Add(includeExisting
                ? _catalog.Versions.Select(version => new AdapterEvent(AdapterEventType.Exists, version.Manifest.Name, Record(version), now))
                : []);
        }

        try
        {
            await foreach (AdapterEvent happened in channel.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false))
            {
                yield return happened;
            }
        }
        finally
        {
            _watchers.Remove(channel);
        }
    }

    /// <summary>Fixes the versions that a request runs on, and counts it as their user. A name that nobody knows is looked for below the adapter root.</summary>
    internal async ValueTask<AdapterStack> ReserveAsync(IReadOnlyList<AdapterReference> references, CancellationToken cancellationToken)
    {
        if (references.Count == 0)
        {
            return AdapterStack.Empty;
        }

        while (true)
        {
            var parts = new (AdapterVersion, float)[references.Count];
            for (int i = 0; i < parts.Length; i++)
            {
                parts[i] = (await FindAsync(references[i].Name, cancellationToken).ConfigureAwait(false), references[i].Weight);
            }

            var stack = new AdapterStack(parts);
            if (_memory.AddUser(stack))
            {
                return stack;
            }
        }
    }

    /// <summary>Ends watching and frees all adapters. The engine does this when no request runs any more.</summary>
    public void Dispose()
    {
        _watchers.Complete();
        _publishing.Wait(); // whoever publishes still uses the probe
        _memory.Dispose();
        _deletions.Dispose();
        _trial.Dispose();
        _publishing.Dispose();
    }

    private static string UploadsFolder(string storeFolder) => Path.Combine(storeFolder, "uploads");

    private async ValueTask<AdapterVersion> FindAsync(string reference, CancellationToken cancellationToken)
    {
        AdapterVersion? found;
        lock (_lock)
        {
            found = _catalog.Find(reference);
        }

        if (found is not null)
        {
            return found;
        }

        string? path = ColdPath(reference);
        if (path is not null)
        {
            await ResolveAsync(reference, path).WaitAsync(cancellationToken).ConfigureAwait(false);
        }

        lock (_lock)
        {
            return _catalog.Get(reference);
        }
    }

    // A name that was taken out of service stays out: only what was never published is found by itself.
    private string? ColdPath(string reference)
    {
        lock (_lock)
        {
            if (_options.AdapterRoot is null || reference.Contains('@', StringComparison.Ordinal) || _catalog.LastVersions.ContainsKey(reference))
            {
                return null;
            }
        }

        string[] candidates = [reference, $"{reference}.gguf"];
        return candidates.FirstOrDefault(candidate => Path.Exists(Path.Combine(_options.AdapterRoot, candidate))) is { } there
            ? RootedPath.Below(_options.AdapterRoot, there, RootName)
            : null;
    }

    // Requests that name the same cold adapter wait for one load.
    private Task ResolveAsync(string name, string path)
    {
        lock (_lock)
        {
            if (!_resolving.TryGetValue(name, out Task? resolving))
            {
                resolving = Task.Run(async () =>
                {
                    try
                    {
                        await PublishAsync(name, path, AdapterSource.Resolver, new PublishOptions { ExpectedVersion = 0 }, CancellationToken.None).ConfigureAwait(false);
                    }
                    catch (EngineException taken) when (taken.Error == EngineError.AdapterExists)
                    {
                        // Somebody published the name meanwhile; that version is as good.
                    }
                    finally
                    {
                        lock (_lock)
                        {
                            _resolving.Remove(name);
                        }
                    }
                });
                _resolving.Add(name, resolving);
            }

            return resolving;
        }
    }

    private async Task<PublishResult> PublishAsync(string name, string path, AdapterSource source, PublishOptions options, CancellationToken cancellationToken)
    {
        CheckPublish(name, options);
        await _publishing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return await Task.Run(() => Publish(name, path, source, options), cancellationToken).ConfigureAwait(false);
        }
        catch (EngineException refusal) when (refusal.Error is EngineError.AdapterRefused or EngineError.AdapterTooLarge)
        {
            LogLoadFailed(name, refusal.Message);
            _watchers.Tell(new AdapterEvent(AdapterEventType.LoadFailed, name, null, _time.GetUtcNow(), refusal.Message));
            throw;
        }
        finally
        {
            _publishing.Release();
        }
    }

    private PublishResult Publish(string name, string path, AdapterSource source, PublishOptions options)
    {
        long begun = _time.GetTimestamp();

        // Where an upload lies is the store's business: its sender is told its name only.
        (Adapter parsed, ResidentAdapter resident, double change) = _trial.Run(name, path, source == AdapterSource.Upload ? name : Shown(path), _memory.BudgetBytes);
        bool isAdopted = false;
        try
        {
            AdapterVersion version;
            List<AdapterVersion> removed;
            lock (_lock)
            {
                _catalog.CheckPublish(name, options);
                version = new AdapterVersion(Manifest(name, path, source, options, parsed, resident));
                if (options.Pin)
                {
                    _memory.CheckPin(version);
                }

                _catalog.Add(version);
                foreach (string alias in options.Aliases)
                {
                    _catalog.SetAlias(alias, version);
                }

                removed = RemoveOldVersions(name);
            }

            isAdopted = true;
            _memory.Adopt(version, parsed, resident, options.Pin);
            Save();
            double seconds = _time.GetElapsedTime(begun).TotalSeconds;
            LogPublished(version, parsed.Report.Method, parsed.Report.MaximumRank, version.ResidentBytes, change, seconds);
            Tell(AdapterEventType.Published, version, "");
            removed.ForEach(old => Tell(AdapterEventType.Unloaded, old, ""));
            return new PublishResult(RecordOf(version), new LoadReport(parsed.Report, version.ResidentBytes, change, seconds));
        }
        catch when (!isAdopted)
        {
            resident.Dispose();
            throw;
        }
    }

    private AdapterManifest Manifest(string name, string path, AdapterSource source, PublishOptions options, Adapter parsed, ResidentAdapter resident) => new()
    {
        Name = name,
        Version = _catalog.NextVersion(name),
        Path = path,
        Digest = parsed.Digest,
        Owner = options.Owner,
        Source = source,
        Method = parsed.Report.Method,
        MinimumRank = parsed.Report.MinimumRank,
        MaximumRank = parsed.Report.MaximumRank,
        FileBytes = parsed.Report.FileBytes,
        HostBytes = parsed.ByteLength,
        ResidentBytes = resident.ByteLength,
        SharedParts = [.. resident.SharedParts],
        InvocationTokens = [.. parsed.InvocationTokens],
        VirtualRows = resident.VirtualRows,
        PublishedAt = _time.GetUtcNow(),
    };

    private List<AdapterVersion> RemoveOldVersions(string name)
    {
        AdapterVersion[] versions = [.. _catalog.Versions.Where(version => version.Manifest.Name == name)];
        List<AdapterVersion> removed =
        [
            .. versions.Take(Math.Max(0, versions.Length - _options.MaxVersions))
                .Where(old => _catalog.AliasesOf(old).Length == 0 && _memory.Read(old, static version => version is { Users: 0, IsPinned: false })),
        ];
        removed.ForEach(old => Remove(old, deleteFiles: true));
        return removed;
    }

    private void Remove(AdapterVersion version, bool deleteFiles)
    {
        _catalog.Remove(version);
        _memory.Retire(version, deleteFiles && version.Manifest.Source == AdapterSource.Upload);
    }

    private void Restore(CatalogFile.State state)
    {
        foreach (AdapterManifest manifest in state.Versions)
        {
            _catalog.Add(new AdapterVersion(manifest));
        }

        foreach ((string name, int number) in state.LastVersions)
        {
            _catalog.NoteVersion(name, number);
        }

        foreach ((string alias, string target) in state.Aliases)
        {
            if (_catalog.Find(target) is { } version)
            {
                _catalog.SetAlias(alias, version);
            }
        }

        foreach (string pinned in state.Pinned)
        {
            if (_catalog.Find(pinned) is { } version)
            {
                _memory.CheckPin(version);
                _memory.Pin(version, isPinned: true);
            }
        }
    }

    // Taken under the lock, written outside it: no request waits for the disk.
    private (int Number, CatalogFile.State State) Snapshot() => (++_lastSnapshot, new CatalogFile.State
    {
        Versions = [.. _catalog.Versions.Select(version => version.Manifest)],
        LastVersions = new Dictionary<string, int>(_catalog.LastVersions),
        Aliases = _catalog.Aliases.ToDictionary(alias => alias.Key, alias => $"{alias.Value.Name}@{alias.Value.Version}"),
        Pinned = [.. _catalog.Versions.Where(version => _memory.Read(version, static one => one.IsPinned)).Select(version => version.ToString())],
    });

    private void Save()
    {
        if (_file is null)
        {
            return;
        }

        (int number, CatalogFile.State state) snapshot;
        lock (_lock)
        {
            snapshot = Snapshot();
        }

        lock (_writing)
        {
            if (snapshot.number > _lastWritten)
            {
                _lastWritten = snapshot.number;
                _file.Save(snapshot.state);
            }
        }
    }

    private void DeleteUnfinishedUploads()
    {
        string uploads = UploadsFolder(_options.StoreFolder!);
        if (Directory.Exists(uploads))
        {
            Directory.Delete(uploads, recursive: true);
        }
    }

    private void OnMemory(AdapterEventType type, AdapterVersion version, string detail)
    {
        if (type == AdapterEventType.Evicted)
        {
            _instruments?.AdapterEvicted();
        }

        if (type == AdapterEventType.LoadFailed)
        {
            _instruments?.AdapterLoadFailed();
            LogLoadFailed(version.Manifest.Name, detail);
        }
        else
        {
            LogMoved(version, type);
        }

        Tell(type, version, detail);
    }

    private void Tell(AdapterEventType type, AdapterVersion version, string detail) =>
        _watchers.Tell(new AdapterEvent(type, version.Manifest.Name, RecordOf(version), _time.GetUtcNow(), detail));

    private AdapterRecord RecordOf(AdapterVersion version)
    {
        lock (_lock)
        {
            return Record(version);
        }
    }

    private AdapterRecord Record(AdapterVersion version)
    {
        AdapterManifest manifest = version.Manifest;
        return _memory.Read(version, state => new AdapterRecord
        {
            Name = manifest.Name,
            Version = manifest.Version,
            IsLatest = _catalog.IsLatest(version),
            Aliases = _catalog.AliasesOf(version),
            Digest = manifest.Digest,
            Owner = manifest.Owner,
            Source = manifest.Source,
            Path = Shown(manifest.Path),
            Method = manifest.Method,
            MinimumRank = manifest.MinimumRank,
            MaximumRank = manifest.MaximumRank,
            Tier = state.Tier,
            FileBytes = manifest.FileBytes,
            HostBytes = manifest.HostBytes,
            ResidentBytes = manifest.ResidentBytes,
            IsPinned = state.IsPinned,
            InUse = state.Users,
            Hits = state.Hits,
            Misses = state.Misses,
            LastLoadSeconds = state.LastLoadSeconds,
            PublishedAt = manifest.PublishedAt,
            LastUsedAt = state.LastUsedAt,
        });
    }

    // Callers see where a path lies below the folders that they know of, not where those lie on the machine.
    private string Shown(string path)
    {
        foreach (string? folder in (ReadOnlySpan<string?>)[_options.AdapterRoot, _options.StoreFolder])
        {
            if (folder is not null && Path.GetRelativePath(Path.GetFullPath(folder), path) is var relative && !relative.StartsWith("..", StringComparison.Ordinal) && !Path.IsPathRooted(relative))
            {
                return relative;
            }
        }

        return Path.GetFileName(path);
    }
}
