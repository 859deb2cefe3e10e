using System.Runtime.CompilerServices;
using System.Threading.Channels;
using LoraServe.Adapters;
using LoraServe.Compute.Files;
using LoraServe.Models;
using LoraServe.Models.Config;
using LoraServe.Models.Text;
using LoraServe.Serving.Metrics;
using LoraServe.Serving.Options;
using LoraServe.Serving.Requests;
using LoraServe.Serving.Store.Files;
using LoraServe.Serving.Store.Names;
using LoraServe.Serving.Store.Residency;
using LoraServe.Serving.Store.Versions;
using LoraServe.Tokenization.Files;
using Microsoft.Extensions.Logging;

namespace LoraServe.Serving.Store;

/// <summary>The adapters that an engine serves: names that point to immutable versions, and where each is in memory.</summary>
/// <remarks>
/// Every call says who asks. Names and aliases belong to the tenant that used them first: tenants use and see their own and what has no
/// owner, and change their own; administrators may do all. Another tenant's name looks like one that does not exist, but to who would change it.
/// Publishing is atomic: a request runs from beginning to end on the version that it began with. A change is on the disk before it is in
/// service, and one that cannot be written changes nothing. Any thread may call. Every failure is an <see cref="EngineException"/>.
/// </remarks>
public sealed partial class AdapterStore : IDisposable
{
    // What serves and what watchers are told change together; nothing slow happens under it.
    private readonly Lock _telling = new();

    private readonly AdapterRoot _root;
    private readonly StoreFolder? _folder;
    private readonly LocalFiles _files;
    private readonly LocalNames _list;
    private readonly AdapterMemory _memory;
    private readonly AdapterWatchers _watchers = new();
    private readonly AdapterTrial _trial;
    private readonly Transformer _model;
    private readonly ModelText _text;
    private readonly ConditionalWeakTable<AdapterVersion, StrongBox<ModelText?>> _texts = [];
    private readonly EngineOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly SemaphoreSlim _publishing = new(1);
    private readonly MergeQueue _merges;
    private readonly RequestCombinations _combinations;
    private readonly EngineInstruments _instruments;
    private volatile AdapterNames _names = AdapterNames.Empty;

    /// <param name="model">What adapters are for.</param>
    /// <param name="text">Its tokenizer and chat templates.</param>
    /// <param name="options">Sizes, limits and folders.</param>
    /// <param name="instruments">Counts loads, uses and evictions.</param>
    /// <param name="changed">Told when a request that waits for its adapters might have them now.</param>
    /// <param name="logger">Where to log.</param>
    /// <param name="time">The clock.</param>
    internal AdapterStore(Transformer model, ModelText text, EngineOptions options, EngineInstruments instruments, Action changed, ILogger logger, TimeProvider time)
    {
        _instruments = instruments;
        _model = model;
        _text = text;
        _options = options;
        _merges = new MergeQueue(options, model.Width, time);
        _logger = logger;
        _time = time;
        _root = new AdapterRoot(options.AdapterRoot, time);
        _folder = options.StoreFolder is { } folder ? new StoreFolder(folder) : null;
        _files = new LocalFiles(_folder, model, options.AdapterLimits, logger, options.AdapterRoot);
        _trial = new AdapterTrial(model, _files);
        _list = new LocalNames(_folder, time);
        _memory = new AdapterMemory(model, options, _files, time)
        {
            Happened = OnMemory,
            Changed = changed,
            Loaded = instruments.AdapterLoaded,
            Used = instruments.AdapterUsed,
        };
        _combinations = new RequestCombinations(options, model, _merges, _memory, Read, time);
        Restore();
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

    /// <summary>All aliases that point somewhere and their versions, as <c>name@3</c>.</summary>
    public IReadOnlyDictionary<string, string> Aliases =>
        _names.Aliases.Where(alias => alias.Value.Target is not null).ToDictionary(alias => alias.Key, alias => alias.Value.Target!.ToString());

    internal AdapterMemory Memory => _memory;

    /// <summary>Takes versions out of service. Requests that run on them finish; then their memory is free. Their names stay their owners'.</summary>
    /// <param name="who">Who asks; must own the name or be an administrator.</param>
    /// <param name="reference"><c>name</c> for all versions, <c>name@3</c> or an alias for one.</param>
    /// <param name="deleteFiles">Also deletes files that came by upload.</param>
    /// <returns>What was taken out.</returns>
    public IReadOnlyList<AdapterRecord> Unload(Principal who, string reference, bool deleteFiles = false)
    {
        ArgumentNullException.ThrowIfNull(who);
        AdapterVersion[] versions = [];
        AdapterRecord[] records = [];
        Change(names =>
        {
            versions = names.GetAllToChange(who, reference);
            records = [.. versions.Select(version => Record(version, names))];
            return (names.Without(versions, keepsFiles: !deleteFiles), ServeWithout);

            void ServeWithout(AdapterNames next)
            {
                Serve(next, Gone(versions, names, next));
                Retire(versions, deleteFiles);
            }
        });
        _memory.Settle();
        foreach (AdapterVersion version in versions)
        {
            LogUnloaded(version);
        }

        return records;
    }

    /// <summary>Everything in service that one may use, whose name begins with a text, by name, then version.</summary>
    public IReadOnlyList<AdapterRecord> List(Principal who, string prefix = "")
    {
        ArgumentNullException.ThrowIfNull(who);
        AdapterNames names = _names;
        return
        [
            .. names.Versions.Where(version => version.Manifest.Name.StartsWith(prefix, StringComparison.Ordinal) && who.CanUse(version.Manifest.Owner))
                .Select(version => Record(version, names)),
        ];
    }

    /// <summary>The version that a name, <c>name@3</c> or alias means now.</summary>
    /// <exception cref="EngineException">There is none that one may use.</exception>
    public AdapterRecord Get(Principal who, string reference)
    {
        ArgumentNullException.ThrowIfNull(who);
        AdapterNames names = _names;
        return Record(names.Get(who, reference), names);
    }

    /// <summary>The version that a name, <c>name@3</c> or alias means now; null where there is none that one may use.</summary>
    public AdapterRecord? Find(Principal who, string reference)
    {
        ArgumentNullException.ThrowIfNull(who);
        AdapterNames names = _names;
        return names.Find(who, reference) is { } version ? Record(version, names) : null;
    }

    /// <summary>Where the files of a version that one may use lie now: a directory, or a GGUF file, with its digest.</summary>
    /// <exception cref="EngineException">There is none that one may use, or its files are gone or others now.</exception>
    public string FilesOf(Principal who, string reference)
    {
        ArgumentNullException.ThrowIfNull(who);
        AdapterVersion version = _names.Get(who, reference);
        return Available(version, () => _files.Find(version.Digest, version.Manifest.ShownPath));
    }

    /// <summary>The chat templates that adapters bring, for a conversation with them.</summary>
    /// <param name="who">Who asks.</param>
    /// <param name="references">The adapters.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The adapters, each with its version where they bring templates, so that these are the ones that answer; and what they bring, null for nothing.</returns>
    /// <exception cref="EngineException">There is none that one may use, its files are gone, or two bring different templates.</exception>
    public async ValueTask<(IReadOnlyList<AdapterReference> References, ModelText? Text)> TextOfAsync(
        Principal who, IReadOnlyList<AdapterReference> references, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(who);
        ArgumentNullException.ThrowIfNull(references);
        List<AdapterReference> pinned = [];
        List<ModelText> texts = [];
        foreach (AdapterReference reference in _options.UseAdapterTemplates ? references : [])
        {
            AdapterVersion version = await FindAsync(who, reference.Name, cancellationToken).ConfigureAwait(false);
            pinned.Add(reference with { Name = version.ToString() });
            if (_texts.GetValue(version, _ => new StrongBox<ModelText?>(ReadText(version))).Value is { } text)
            {
                texts.Add(text);
            }
        }

        if (texts.Select(text => text.Templates!.Sources).Any(sources => !sources.SequenceEqual(texts[0].Templates!.Sources)))
        {
            throw new EngineException(
                EngineError.InvalidRequest, $"The adapters {string.Join(" and ", texts.Select(text => text.Name))} bring different chat templates. Render the conversation yourself and use Generate, or serve with the base's template.");
        }

        return texts.Count > 0 ? (pinned, texts[0]) : (references, null);
    }

    /// <summary>The latest version of a name in service that has files with a digest; null where there is none. For who owns the name.</summary>
    public AdapterRecord? FindByDigest(string name, string digest)
    {
        AdapterNames names = _names;
        return names.FindByDigest(name, digest) is { } version ? Record(version, names) : null;
    }

    /// <summary>Keeps a version resident, or lets it go again; administrators only.</summary>
    public AdapterRecord Pin(Principal who, string reference, bool pinned)
    {
        ArgumentNullException.ThrowIfNull(who);
        RequirePinning(who);
        AdapterRecord? record = null;
        Change(names =>
        {
            AdapterVersion version = names.GetToChange(who, reference);
            if (pinned)
            {
                _memory.CheckPin(version);
            }

            return (names.WithPin(version, pinned), ServePinned);

            // Pinned first, so that who reads these names and pins another finds its memory taken.
            void ServePinned(AdapterNames next)
            {
                _memory.Pin(version, pinned);
                Serve(next, []);
                record = Record(version, next);
            }
        });
        return record!;
    }

    /// <summary>Points an alias to a version, also back to an older one. Requests that run are not concerned.</summary>
    /// <param name="who">Who asks; must own alias and target or be an administrator. An alias that is new becomes its own.</param>
    /// <param name="alias">The alias.</param>
    /// <param name="target"><c>name</c> (its latest version now) or <c>name@3</c>; empty removes the alias.</param>
    /// <returns>What it points to, as <c>name@3</c>; empty when removed.</returns>
    public string SetAlias(Principal who, string alias, string target)
    {
        ArgumentNullException.ThrowIfNull(who);
        ArgumentNullException.ThrowIfNull(target);
        string pointsTo = "";
        Change(names =>
        {
            AdapterVersion? version;
            AdapterNames next;
            if (target.Length == 0)
            {
                next = names.WithoutAlias(who, alias, out version);
                pointsTo = "";
            }
            else
            {
                names.CheckAlias(who, alias);
                CheckRoot(who, alias);
                version = names.GetToChange(who, target);
                next = names.WithAlias(who, alias, version);
                pointsTo = version.ToString();
            }

            return (next, served => Serve(served, [AliasChanged(alias, target.Length > 0 ? version : null, version?.Manifest.Owner ?? who.Tenant, served)]));
        });

        LogAlias(alias, pointsTo);
        return pointsTo;
    }

    /// <summary>What happens from now on to adapters that one may use.</summary>
    /// <param name="who">Who asks.</param>
    /// <param name="includeExisting">Begins with one event for each version there is.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async IAsyncEnumerable<AdapterEvent> WatchAsync(Principal who, bool includeExisting, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(who);
        Channel<AdapterEvent> channel;
        lock (_telling)
        {
            AdapterNames names = _names;
            channel = _watchers.Add(includeExisting ? names.Versions.Select(version => Happening(AdapterEventType.Exists, version, names)) : []);
        }

        try
        {
            await foreach (AdapterEvent happened in channel.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false))
            {
                if (who.CanUse(happened.Owner))
                {
                    yield return happened;
                }
            }
        }
        finally
        {
            _watchers.Remove(channel);
        }
    }

    /// <summary>Ends watching and frees all adapters. The engine does this when no request runs any more.</summary>
    public void Dispose()
    {
        _watchers.Complete();
        _publishing.Wait(); // whoever publishes still uses the probe
        _memory.Dispose();
        _files.Dispose();
        _trial.Dispose();
        _publishing.Dispose();
        _merges.Dispose();
        _folder?.Dispose();
    }

    private static void RequirePinning(Principal who) => who.RequireAdmin("pin adapters, which takes memory from all");

    // Names below the root are the operator's, whether or not anybody has used them.
    private void CheckRoot(Principal who, params IEnumerable<string> names)
    {
        if (!who.IsAdmin && names.FirstOrDefault(_root.Has) is { } taken)
        {
            who.RequireChange($"Adapter '{taken}'", owner: "");
        }
    }

    // The one way to change names: made of those in service, checks included, and made again of others that came first. What is refused there, or
    // cannot be written, changes nothing; what serves them must not fail. No request waits for it, and what listens to memory changes no names.
    private void Change(Func<AdapterNames, (AdapterNames Next, Action<AdapterNames> Serve)> make) => Write(() =>
    {
        bool isMade = false;
        while (!isMade)
        {
            (AdapterNames next, Action<AdapterNames> serve) = make(_names);
            isMade = _list.TrySwap(next, serve);
        }
    });

    // Callers are told that the log says why.
    private void Write(Action write)
    {
        try
        {
            write();
        }
        catch (EngineException failure) when (failure.Error == EngineError.StorageFailed)
        {
            LogNotSaved(failure.InnerException);
            throw;
        }
    }

    private void Serve(AdapterNames next, IEnumerable<AdapterEvent> happened)
    {
        lock (_telling)
        {
            _names = next;
            foreach (AdapterEvent each in happened)
            {
                _watchers.Tell(each);
            }
        }
    }

    private void Retire(IEnumerable<AdapterVersion> versions, bool deleteFiles)
    {
        foreach (AdapterVersion version in versions)
        {
            _memory.Retire(version, deleteFiles && version.Manifest.Source == AdapterSource.Upload);
        }
    }

    private void Restore()
    {
        if (_folder?.Fault is { } fault)
        {
            LogReadOnly(fault);
        }

        NamesList list = _list.Load(TakeIn);
        foreach (string damage in list.Faults)
        {
            LogDamaged(damage);
        }

        _names = list.SaysWhatIsKept ? list.Names : list.Names.WithKept(_files.Stored().Except(list.Names.Versions.Select(version => version.Digest)));
        foreach (string sent in _names.Versions.Where(version => version.Manifest.Source == AdapterSource.Upload).Select(version => version.Digest).Concat(_names.Kept))
        {
            _files.Hold(sent);
        }

        foreach (AdapterVersion version in _names.Versions)
        {
            if (!_files.IsThere(version.Digest, out string places))
            {
                LogFilesGone(version, places);
            }
        }

        foreach (AdapterVersion version in _names.Pinned)
        {
            _memory.Pin(version, isPinned: true);
        }

        int swept = _files.Sweep(_names.Versions.Select(version => version.Digest).Concat(_names.Kept), _list.HasDamaged, out IReadOnlyList<string> left);
        if (swept > 0)
        {
            LogSwept(swept);
        }

        foreach (string folderLeft in left)
        {
            LogNotSwept(folderLeft);
        }
    }

    // Lists of older servers say where files lie.
    private string TakeIn(AdapterManifest manifest, string path)
    {
        bool wasSent = manifest.Source == AdapterSource.Upload;
        _files.TakeIn(manifest.Digest, path, wasSent);
        return wasSent ? manifest.Name : Shown(path);
    }

    private ModelText? ReadText(AdapterVersion version) => Available(version, () =>
    {
        try
        {
            return ModelText.ReadAdapter(_files.Find(version.Digest, version.Manifest.ShownPath), version.ToString());
        }
        catch (Exception damage) when (damage is ModelFormatException or TensorFileException or TokenizerFormatException)
        {
            throw new AdapterFormatException($"what it brings of text cannot be read: {damage.Message}", damage);
        }
    });

    private static T Available<T>(AdapterVersion version, Func<T> open)
    {
        try
        {
            return open();
        }
        catch (AdapterFormatException failure)
        {
            throw new EngineException(EngineError.AdapterUnavailable, $"Adapter '{version}' could not be loaded: {failure.Message}", failure);
        }
    }

    private void OnMemory(AdapterEventType type, AdapterVersion version, string detail)
    {
        if (type == AdapterEventType.Evicted)
        {
            _instruments.AdapterEvicted();
        }

        if (type == AdapterEventType.LoadFailed)
        {
            _instruments.AdapterLoadFailed();
            LogLoadFailed(version.Manifest.Name, detail);
        }
        else
        {
            LogMoved(version, type);
        }

        if (version.Make is null)
        {
            _watchers.Tell(Happening(type, version, _names, detail)); // what has no name concerns nobody but its requests
        }
    }

    private AdapterEvent Happening(AdapterEventType type, AdapterVersion version, AdapterNames names, string detail = "") =>
        new(type, version.Manifest.Name, Record(version, names), _time.GetUtcNow(), detail, version.Manifest.Owner);

    private AdapterEvent AliasChanged(string alias, AdapterVersion? target, string owner, AdapterNames names) =>
        new(AdapterEventType.AliasChanged, alias, target is null ? null : Record(target, names), _time.GetUtcNow(), target?.ToString() ?? "", owner);

    // Versions that go, and then the aliases that went with them.
    private IEnumerable<AdapterEvent> Gone(IReadOnlyCollection<AdapterVersion> versions, AdapterNames before, AdapterNames after) =>
    [
        .. versions.Select(version => Happening(AdapterEventType.Unloaded, version, after)),
        .. versions.SelectMany(version => before.AliasesOf(version).Select(alias => AliasChanged(alias, null, version.Manifest.Owner, after))),
    ];

    private AdapterRecord Record(AdapterVersion version, AdapterNames names)
    {
        AdapterManifest manifest = version.Manifest;
        return _memory.Read(version, state => new AdapterRecord
        {
            Name = manifest.Name,
            Version = manifest.Version,
            IsLatest = names.IsLatest(version),
            Aliases = names.AliasesOf(version),
            Digest = manifest.Digest,
            Owner = manifest.Owner,
            Source = manifest.Source,
            Path = manifest.ShownPath,
            Method = manifest.Method,
            Tasks = manifest.Tasks,
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

    // Callers see where a path lies below the folder that they know of, not where that lies on the machine.
    private string Shown(string path) =>
        _options.AdapterRoot is { } root && Path.GetRelativePath(Path.GetFullPath(root), path) is var relative && !relative.StartsWith("..", StringComparison.Ordinal) && !Path.IsPathRooted(relative)
            ? relative
            : Path.GetFileName(path);
}
