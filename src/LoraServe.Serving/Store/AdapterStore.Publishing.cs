using System.Collections.Immutable;
using LoraServe.Adapters;
using LoraServe.Models.Forward;
using LoraServe.Serving.Requests;
using LoraServe.Serving.Store.Names;
using LoraServe.Serving.Store.Versions;

namespace LoraServe.Serving.Store;

public sealed partial class AdapterStore
{
    /// <summary>Publishes files of this machine as the next version of a name.</summary>
    /// <param name="who">For whom: a name that is new becomes its own.</param>
    /// <param name="name">The name.</param>
    /// <param name="path">A PEFT directory or a GGUF adapter file. Callers from elsewhere must not choose it.</param>
    /// <param name="options">How; null for the defaults.</param>
    /// <param name="cancellationToken">Gives up while waiting for other publishing.</param>
    public Task<PublishResult> PublishAsync(Principal who, string name, string path, PublishOptions? options = null, CancellationToken cancellationToken = default)
    {
        path = Path.GetFullPath(path);
        return PublishAsync(who, name, new Origin(path, AdapterSource.Directory, Shown(path)), options ?? new PublishOptions(), cancellationToken);
    }

    /// <summary>Publishes files that a caller names, who can only reach what lies below the adapter root and must be an administrator.</summary>
    /// <param name="who">Who asks.</param>
    /// <param name="name">The name.</param>
    /// <param name="relativePath">Path relative to the adapter root.</param>
    /// <param name="options">How; null for the defaults.</param>
    /// <param name="cancellationToken">Gives up while waiting for other publishing.</param>
    public Task<PublishResult> PublishBelowRootAsync(Principal who, string name, string relativePath, PublishOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(who);
        who.RequireAdmin("load adapters from the server's files");
        return PublishAsync(who, name, _root.Below(relativePath), options, cancellationToken);
    }

    /// <summary>Refuses now what publishing would refuse for its name, aliases or version, before work is put into the files. It is checked again in the end.</summary>
    public void CheckPublish(Principal who, string name, PublishOptions options)
    {
        ArgumentNullException.ThrowIfNull(who);
        ArgumentNullException.ThrowIfNull(options);
        _names.CheckPublish(who, name, options);
        CheckRoot(who, [name, .. options.Aliases]);
        if (options.Pin)
        {
            RequirePinning(who);
        }
    }

    /// <summary>Begins to take files from a caller, to be published when they are complete.</summary>
    /// <param name="who">For whom: a name that is new becomes its own, if it still is when the files are complete.</param>
    /// <param name="name">The name.</param>
    /// <param name="options">How; null for the defaults.</param>
    public AdapterUpload BeginUpload(Principal who, string name, PublishOptions? options = null)
    {
        options ??= new PublishOptions();
        if (_folder is null)
        {
            throw new EngineException(EngineError.InvalidUpload, "Uploads need a place to be kept. Start the server with a store folder.");
        }

        CheckPublish(who, name, options);
        return new AdapterUpload(
            _folder.NewUpload(), _options.MaxUploadBytes,
            (files, cancellationToken) => PublishAsync(who, name, new Origin(files, AdapterSource.Upload, name), options, cancellationToken));
    }

    private async Task<PublishResult> PublishAsync(Principal who, string name, Origin origin, PublishOptions options, CancellationToken cancellationToken)
    {
        CheckPublish(who, name, options);
        await _publishing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return await Task.Run(() => Publish(who, name, origin, options), cancellationToken).ConfigureAwait(false);
        }
        catch (EngineException refusal) when (refusal.Error is EngineError.AdapterRefused or EngineError.AdapterTooLarge)
        {
            LogLoadFailed(name, refusal.Message);
            _watchers.Tell(new AdapterEvent(AdapterEventType.LoadFailed, name, null, _time.GetUtcNow(), refusal.Message, _names.OwnerOfNext(who, name)));
            throw;
        }
        finally
        {
            _publishing.Release();
        }
    }

    private PublishResult Publish(Principal who, string name, Origin origin, PublishOptions options)
    {
        long begun = _time.GetTimestamp();
        (Adapter parsed, ResidentAdapter resident, double change) = _trial.Run(name, origin.Path, origin.Shown, _memory.BudgetBytes);
        bool isAdopted = false;
        try
        {
            AdapterVersion version;
            AdapterRecord record;
            lock (_changing)
            {
                AdapterNames before = _names;
                CheckPublish(who, name, options);
                if (origin.Source == AdapterSource.Resolver && before.Find(who, name) is { } same && same.Digest == parsed.Digest)
                {
                    resident.Dispose(); // the same files, touched or copied again
                    return new PublishResult(Record(same, before), new LoadReport(parsed.Report, same.ResidentBytes, change, _time.GetElapsedTime(begun).TotalSeconds));
                }

                version = Version(who, name, origin, before, parsed, resident);
                (AdapterNames next, AdapterVersion[] old) = Save(who, version, before, options);
                isAdopted = true;
                _memory.Adopt(version, parsed, resident, options.Pin);
                Serve(next, [Happening(AdapterEventType.Published, version, next), .. AliasesChanged(options.Aliases, version, next), .. Gone(old, before, next)]);
                Retire(old, deleteFiles: true);
                record = Record(version, next);
            }

            _memory.Settle();
            double seconds = _time.GetElapsedTime(begun).TotalSeconds;
            LogPublished(version, parsed.Report.Method, parsed.Report.MaximumRank, version.ResidentBytes, change, seconds);
            string pointsTo = version.ToString();
            foreach (string alias in options.Aliases)
            {
                LogAlias(alias, pointsTo);
            }

            return new PublishResult(record, new LoadReport(parsed.Report, version.ResidentBytes, change, seconds));
        }
        catch when (!isAdopted)
        {
            resident.Dispose();
            throw;
        }
    }

    // The version with its files where they stay.
    private AdapterVersion Version(Principal who, string name, Origin origin, AdapterNames names, Adapter parsed, ResidentAdapter resident)
    {
        var manifest = new AdapterManifest
        {
            Name = name,
            Version = names.NextVersion(name),
            Path = origin.Source == AdapterSource.Upload ? _folder!.Keep(name, origin.Path) : origin.Path,
            Digest = parsed.Digest,
            Owner = names.OwnerOfNext(who, name),
            Source = origin.Source,
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
            FileStamp = origin.Stamp,
        };
        return new AdapterVersion(manifest, origin.Shown);
    }

    // The names with the version, written; and the versions that go for it.
    private (AdapterNames Next, AdapterVersion[] Old) Save(Principal who, AdapterVersion version, AdapterNames names, PublishOptions options)
    {
        try
        {
            if (options.Pin)
            {
                _memory.CheckPin(version);
            }

            AdapterNames next = names.With(who, version, options.Aliases, options.Pin);
            AdapterVersion[] old = Old(next, version.Manifest.Name);
            next = next.Without(old, keepsFiles: false);
            Save(next);
            return (next, old);
        }
        catch when (version.Manifest.Source == AdapterSource.Upload)
        {
            _folder!.Discard(version.Manifest.Path);
            throw;
        }
    }

    // Beyond as many as are kept: those that nobody runs on, points to or has pinned.
    private AdapterVersion[] Old(AdapterNames names, string name)
    {
        ImmutableArray<AdapterVersion> versions = names.VersionsOf(name);
        return
        [
            .. versions.Take(Math.Max(0, versions.Length - _options.MaxVersions))
                .Where(old => names.AliasesOf(old).Length == 0 && !names.Pinned.Contains(old) && _memory.Read(old, static version => version.Users == 0)),
        ];
    }

    private IEnumerable<AdapterEvent> AliasesChanged(IEnumerable<string> aliases, AdapterVersion version, AdapterNames names) =>
        aliases.Distinct().Select(alias => AliasChanged(alias, version, version.Manifest.Owner, names));

    /// <summary>Files to publish.</summary>
    /// <param name="Path">Where they lie now.</param>
    /// <param name="Source">Where they came from.</param>
    /// <param name="Shown">What callers are told instead of the path: where an upload lies is the store's business.</param>
    /// <param name="Stamp">For files found by their name: how to tell that they were replaced.</param>
    private sealed record Origin(string Path, AdapterSource Source, string Shown, string Stamp = "");
}
