using System.Collections.Immutable;
using LoraServe.Adapters;
using LoraServe.Adapters.Edits;
using LoraServe.Compute.Files;
using LoraServe.Models.Config;
using LoraServe.Models.Forward;
using LoraServe.Models.Text;
using LoraServe.Serving.Requests;
using LoraServe.Serving.Store.Names;
using LoraServe.Serving.Store.Versions;
using LoraServe.Tokenization.Files;

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
        CheckPublish(_names, who, name, options);
    }

    /// <summary>Begins to take files from a caller, to be published when they are complete.</summary>
    /// <param name="who">For whom: a name that is new becomes its own, if it still is when the files are complete.</param>
    /// <param name="name">The name.</param>
    /// <param name="options">How; null for the defaults.</param>
    public AdapterUpload BeginUpload(Principal who, string name, PublishOptions? options = null)
    {
        options ??= new PublishOptions();
        if (!_files.CanPut)
        {
            throw new EngineException(EngineError.InvalidUpload, "Uploads need a place to be kept. Start the server with a store folder.");
        }

        CheckPublish(who, name, options);
        return new AdapterUpload(
            _files.NewUpload(), _options.MaxUploadBytes,
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
        string digest = parsed.Digest;
        int[] endTokens = EndTokens(name, origin.Path);
        bool isAdopted = false;
        bool isPut = false;
        try
        {
            if (origin.Source == AdapterSource.Upload)
            {
                Write(() => _files.Put(digest, origin.Path));
                isPut = true;
            }
            else
            {
                Write(() => _files.Note(digest, origin.Path));
            }

            AdapterVersion? version = null;
            AdapterRecord? record = null;
            Change(names =>
            {
                CheckPublish(names, who, name, options);
                AdapterVersion made = Version(who, name, origin, names, parsed, resident, endTokens);
                if (options.Pin)
                {
                    _memory.CheckPin(made);
                }

                AdapterNames next = names.With(who, made, options.Aliases, options.Pin);
                AdapterVersion[] old = Old(next, name);
                return (next.Without(old, keepsFiles: false), ServePublished);

                void ServePublished(AdapterNames served)
                {
                    isAdopted = true;
                    _memory.Adopt(made, parsed, resident, options.Pin);
                    Serve(served, [Happening(AdapterEventType.Published, made, served), .. AliasesChanged(options.Aliases, made, served), .. Gone(old, names, served)]);
                    Retire(old, deleteFiles: true);
                    (version, record) = (made, Record(made, served));
                }
            });
            _memory.Settle();
            double seconds = _time.GetElapsedTime(begun).TotalSeconds;
            LogPublished(version!, parsed.Report.Method, parsed.Report.MaximumRank, version!.ResidentBytes, change, seconds);
            string pointsTo = version.ToString();
            foreach (string alias in options.Aliases)
            {
                LogAlias(alias, pointsTo);
            }

            AdapterReport report = parsed.Report with { Notes = [.. parsed.Report.Notes.Select(note => note.Replace(origin.Path, origin.Shown, StringComparison.Ordinal))] };
            foreach (string note in report.Notes)
            {
                LogNote(version, note);
            }

            return new PublishResult(record!, new LoadReport(report, version.ResidentBytes, change, seconds));
        }
        catch when (!isAdopted)
        {
            resident.Dispose();
            if (isPut && !_list.IsUncertain)
            {
                _files.Discard(digest); // else the list on disk may name them
            }

            throw;
        }
    }

    private void CheckPublish(AdapterNames names, Principal who, string name, PublishOptions options)
    {
        names.CheckPublish(who, name, options);
        CheckRoot(who, [name, .. options.Aliases]);
        if (options.Pin)
        {
            RequirePinning(who);
        }
    }

    private AdapterVersion Version(Principal who, string name, Origin origin, AdapterNames names, Adapter parsed, ResidentAdapter resident, int[] endTokens) => new(new AdapterManifest
    {
        Name = name,
        Version = names.NextVersion(name),
        Digest = parsed.Digest,
        ShownPath = origin.Shown,
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
        ScalingPass = parsed.Edits.OfType<ScalingClassifier>().FirstOrDefault()?.PassValue,
        EndTokens = endTokens,
        PublishedAt = _time.GetUtcNow(),
    });

    // A text part that cannot be read changes nothing of what the adapter computes: conversations are told.
    private int[] EndTokens(string name, string path)
    {
        try
        {
            return [.. AnswerEnd.Further(_text, ModelText.ReadAdapter(path, name), _model.VocabularySize)];
        }
        catch (Exception damage) when (damage is ModelFormatException or TensorFileException or TokenizerFormatException)
        {
            LogTextUnread(name, damage.Message);
            return [];
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
    private sealed record Origin(string Path, AdapterSource Source, string Shown);
}
