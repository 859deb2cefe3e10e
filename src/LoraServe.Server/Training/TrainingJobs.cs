using System.ComponentModel.DataAnnotations;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using LoraServe.Compute.Files;
using LoraServe.Models;
using LoraServe.Serving;
using LoraServe.Serving.Store;
using LoraServe.Training;
using LoraServe.Training.Data;
using LoraServe.Training.Methods;
using LoraServe.Training.Reports;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Proto = LoraServe.V1;

namespace LoraServe.Server.Training;

/// <summary>Training jobs, whose tenants take turns. They survive a restart: what waited waits again, what ran goes on from its checkpoint.</summary>
/// <remarks>
/// A job changes by being written to the disk first and being seen then. One lock guards what is known of all jobs; nothing waits for a
/// disk under it, so that a run's step never does.
/// </remarks>
public sealed partial class TrainingJobs : IAsyncDisposable
{
    /// <summary>Who reads more slowly than this many steps misses the oldest of them.</summary>
    private const int MostUnreadEvents = 1024;

    /// <summary>Jobs whose rows are looked at at the same time, before they are taken in.</summary>
    private const int MostRowChecks = 2;

    private readonly Lock _lock = new();
    private readonly OrderedDictionary<string, JobRecord> _jobs = []; // the oldest first
    private readonly List<Proto.StartTrainingRequest> _starting = []; // not jobs yet; their rows must stay
    private readonly JobQueue _queue;
    private readonly List<Task> _runs = [];
    private readonly SemaphoreSlim _rowChecks = new(MostRowChecks);
    private readonly ITrainingRunner _runner;
    private readonly AdapterStore _adapters;
    private readonly TrainingOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly JobFolder _folder;
    private readonly DataFolder _data;
    private readonly ITimer _sweeps;
    private readonly FolderLock _held;
    private bool _isStopping;

    /// <summary>Takes up the jobs of the state folder and begins to run them. What is damaged there is set aside and named in the log.</summary>
    /// <param name="runner">What trains.</param>
    /// <param name="adapters">Where results are published.</param>
    /// <param name="options">Folders and limits; the state folder must be set.</param>
    /// <param name="loggers">Where to log; null for nowhere.</param>
    /// <param name="time">The clock; null for the system's.</param>
    /// <exception cref="ValidationException">An option is out of range.</exception>
    /// <exception cref="FolderInUseException">Another server has the state folder.</exception>
    /// <exception cref="IOException">The state folder cannot be made or read.</exception>
    public TrainingJobs(ITrainingRunner runner, AdapterStore adapters, TrainingOptions options, ILoggerFactory? loggers = null, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        Validator.ValidateObject(options, new ValidationContext(options), validateAllProperties: true);
        string state = Path.GetFullPath(options.StateFolder ?? throw new ArgumentException("There is no state folder.", nameof(options)));
        _runner = runner;
        _adapters = adapters;
        _options = options;
        _time = time ?? TimeProvider.System;
        _logger = (loggers ?? NullLoggerFactory.Instance).CreateLogger<TrainingJobs>();
        _queue = new JobQueue(options);
        _held = FolderLock.Take(Directory.CreateDirectory(state).FullName);
        try
        {
            _folder = new JobFolder(Path.Combine(state, "jobs"));
            foreach (JobState job in _folder.Load(_logger))
            {
                _jobs.Add(job.Job.Id, new JobRecord(job));
            }

            _data = new DataFolder(Path.Combine(state, "data"), options, _time, _logger, UseOf) { Dropped = Lapse };
        }
        catch
        {
            _held.Dispose();
            throw;
        }

        foreach (JobRecord record in _jobs.Values.Where(record => !record.State.HasEnded))
        {
            record.Place = new QueuedJob(record.Id, record.Owner, record.State.Job.Status == Proto.TrainingStatus.Running);
            _queue.Add(record.Place);
        }

        Sweep();
        _sweeps = _time.CreateTimer(_ => Sweep(), null, s_sweepInterval, s_sweepInterval);
        Pump();
    }

    /// <summary>Stops what runs after its step, to go on at the next start.</summary>
    public async ValueTask DisposeAsync()
    {
        CancellationTokenSource[] running;
        lock (_lock)
        {
            if (_isStopping)
            {
                return;
            }

            _isStopping = true;
            running = [.. _jobs.Values.Select(record => record.Stop).OfType<CancellationTokenSource>()];
        }

        await _sweeps.DisposeAsync().ConfigureAwait(false);
        foreach (CancellationTokenSource stop in running)
        {
            await stop.CancelAsync().ConfigureAwait(false);
        }

        Task[] runs;
        lock (_lock)
        {
            runs = [.. _runs];
        }

        await Task.WhenAll(runs).ConfigureAwait(false);
        SaveUnsaved();
        lock (_lock)
        {
            foreach (Channel<Proto.TrainingEvent> watcher in _jobs.Values.SelectMany(record => record.Watchers))
            {
                watcher.Writer.TryComplete(Stopping());
            }
        }

        _held.Dispose();
    }

    internal DataUpload BeginUpload(Principal caller, string fileName) => _data.Begin(caller, fileName);

    internal async Task<Proto.TrainingJob> StartAsync(Principal caller, Proto.StartTrainingRequest request, CancellationToken cancellationToken)
    {
        request = request.Clone();
        QueuedJob place;
        lock (_lock)
        {
            RequireOpen();
            place = _queue.Reserve($"job-{Guid.NewGuid():n}", caller);
            _starting.Add(request);
        }

        try
        {
            (TrainingJobOptions options, RowCheck rows) = await CheckAsync(caller, request, cancellationToken).ConfigureAwait(false);
            var job = new Proto.TrainingJob
            {
                Id = place.Id,
                Status = Proto.TrainingStatus.Queued,
                Owner = caller.Tenant,
                Request = request,
                CreatedAt = _time.GetUtcNow().ToTimestamp(),
                CheckedRows = (ulong)rows.Checked,
                TotalRows = (ulong)rows.Total,
            };
            return Add(new JobRecord(new JobState(job, caller.IsAdmin)), place, options.Method);
        }
        finally
        {
            lock (_lock)
            {
                _starting.Remove(request);
                _queue.Cancel(place);
            }
        }
    }

    /// <summary>Refuses what cannot work, its rows included.</summary>
    private async Task<(TrainingJobOptions Options, RowCheck Rows)> CheckAsync(Principal caller, Proto.StartTrainingRequest request, CancellationToken cancellationToken)
    {
        FixInitialAdapter(caller, request);
        (TrainingJobOptions options, IReadOnlyDictionary<string, string> names) = Resolve(caller, request);
        options.Validate(TrainingMapping.FieldOf);
        CheckPublish(caller, request, options);
        await _rowChecks.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return await Task.Run(
                () =>
                {
                    _runner.Check(options);
                    return (options, _runner.CheckRows(options, _options.MaxRowCheckTime, cancellationToken));
                },
                cancellationToken).ConfigureAwait(false);
        }
        catch (Exception wrong) when (wrong is TrainingDataException || StorageFailure.Is(wrong))
        {
            throw new EngineException(EngineError.InvalidRequest, WithoutPaths(wrong.Message, names), wrong);
        }
        catch (ModelFormatException lacking)
        {
            throw new EngineException(EngineError.Unsupported, lacking.Message, lacking);
        }
        finally
        {
            _rowChecks.Release();
        }
    }

    private Proto.TrainingJob Add(JobRecord record, QueuedJob place, string method)
    {
        try
        {
            _folder.Save(record.State);
        }
        catch (Exception failure) when (StorageFailure.Is(failure))
        {
            LogNotSaved(record.Id, failure);
            DeleteFolder(record);
            throw StorageFailure.Refusal(failure);
        }

        Proto.TrainingJob seen;
        lock (_lock)
        {
            record.Place = place;
            _jobs.Add(record.Id, record);
            _queue.Add(place);
            seen = Seen(record);
        }

        LogQueued(record.Id, record.Owner.Tenant, method);
        Pump();
        return seen;
    }

    internal Proto.TrainingJob Get(Principal caller, string id)
    {
        lock (_lock)
        {
            return Seen(Find(caller, id));
        }
    }

    internal IReadOnlyList<Proto.TrainingJob> List(Principal caller, ICollection<Proto.TrainingStatus> statuses, int limit)
    {
        lock (_lock)
        {
            return
            [
                .. _jobs.Values.Reverse().Where(record => CanSee(caller, record) && (statuses.Count == 0 || statuses.Contains(record.State.Job.Status))).Take(limit).Select(Seen),
            ];
        }
    }

    internal Proto.TrainingJob Cancel(Principal caller, string id)
    {
        JobRecord record;
        lock (_lock)
        {
            record = Find(caller, id);
        }

        Change(
            record,
            draft => draft.HasEnded || draft.IsCancelRequested ? null
                : draft.Job.Status == Proto.TrainingStatus.Queued ? Ended(draft, Proto.TrainingStatus.Cancelled, "")
                : draft with { IsCancelRequested = true }, // a job that ran before a restart and waits to go on ends when its turn comes
            isPromise: true);
        CancellationTokenSource? stop;
        Proto.TrainingJob seen;
        lock (_lock)
        {
            stop = record.State.IsCancelRequested ? record.Stop : null;
            seen = Seen(record);
        }

        stop?.Cancel();
        TidyUp(record);
        return seen;
    }

    /// <summary>Lets a job that failed or was cancelled go on from its last checkpoint. One that waits, runs or has succeeded stays as it is.</summary>
    internal Proto.TrainingJob Resume(Principal caller, string id)
    {
        JobRecord record;
        QueuedJob place;
        lock (_lock)
        {
            RequireOpen();
            record = Find(caller, id);
            if (!record.State.HasEnded || record.State.Job.Status == Proto.TrainingStatus.Succeeded)
            {
                return Seen(record);
            }

            place = _queue.Reserve(id, record.Owner);
        }

        try
        {
            Change(record, Resumed, isPromise: true, () =>
            {
                record.Place = place;
                _queue.Add(place);
            });
        }
        finally
        {
            lock (_lock)
            {
                _queue.Cancel(place);
            }
        }

        LogResumed(id, record.State.CheckpointedStep);
        Pump();
        return Get(caller, id);
    }

    private static JobState? Resumed(JobState draft)
    {
        if (!draft.HasEnded || draft.Job.Status == Proto.TrainingStatus.Succeeded)
        {
            return null;
        }

        if (!draft.IsResumable)
        {
            throw new EngineException(
                EngineError.Unsupported,
                $"Training job '{draft.Job.Id}' cannot be resumed: its rows and checkpoints are gone (LoraServe:Training:KeepFailedFor and MaxResumableJobsPerTenant say how long they stay). Start it again with its rows.");
        }

        draft.Job.Status = Proto.TrainingStatus.Queued;
        draft.Job.Error = "";
        (draft.Job.FinishedAt, draft.Job.ResumableUntil) = (null, null);
        return draft with { Attempts = 0, IsCancelRequested = false };
    }

    internal async IAsyncEnumerable<Proto.TrainingEvent> WatchAsync(Principal caller, string id, bool includePast, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        Channel<Proto.TrainingEvent> channel = Channel.CreateBounded<Proto.TrainingEvent>(new BoundedChannelOptions(MostUnreadEvents) { FullMode = BoundedChannelFullMode.DropOldest });
        JobRecord record;
        Proto.TrainingJob now;
        bool hasEnded;
        lock (_lock)
        {
            RequireOpen();
            record = Find(caller, id);
            now = Seen(record);
            record.Watchers.Add(channel);
            hasEnded = record.State.HasEnded;
            if (hasEnded)
            {
                channel.Writer.TryComplete();
            }
        }

        try
        {
            yield return new Proto.TrainingEvent { Job = now };
            string metrics = Path.Combine(_folder.RunFolder(now), MetricsLog.FileName);
            if (includePast && File.Exists(metrics))
            {
                foreach (TrainingProgress step in MetricsLog.Read(metrics).Where(step => hasEnded || step.Step <= (now.Progress?.Step ?? 0)))
                {
                    yield return new Proto.TrainingEvent { Progress = TrainingMapping.ToMessage(step) };
                }

                if (hasEnded)
                {
                    yield return new Proto.TrainingEvent { Job = now };
                }
            }

            await foreach (Proto.TrainingEvent happened in channel.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false))
            {
                yield return happened;
            }
        }
        finally
        {
            lock (_lock)
            {
                record.Watchers.Remove(channel);
            }
        }
    }

    private static EngineException Stopping() => new(EngineError.ShuttingDown, "The server stops; jobs go on when it is started again.");

    private void RequireOpen()
    {
        if (_isStopping)
        {
            throw Stopping();
        }
    }

    private static bool CanSee(Principal caller, JobRecord record) => caller.IsAdmin || record.Owner.Tenant == caller.Tenant;

    private JobRecord Find(Principal caller, string id) =>
        _jobs.TryGetValue(id, out JobRecord? record) && CanSee(caller, record)
            ? record
            : throw new RpcException(new Status(StatusCode.NotFound, $"There is no training job '{id}'. List the jobs to see those there are."));

    /// <summary>A job as it is now; the lock is held.</summary>
    private Proto.TrainingJob Seen(JobRecord record)
    {
        Proto.TrainingJob job = record.Draft().Job;
        if (job.Status == Proto.TrainingStatus.Queued)
        {
            job.QueuePosition = (uint)_queue.Order().TakeWhile(place => place != record.Place).Count();
        }

        return job;
    }

    // What is published under the name while the job waits must not change what the job makes.
    private void FixInitialAdapter(Principal caller, Proto.StartTrainingRequest request)
    {
        if (request.Method is { InitFrom.Length: > 0 } method)
        {
            AdapterRecord adapter = _adapters.Get(caller, method.InitFrom);
            method.InitFrom = $"{adapter.Name}@{adapter.Version}";
        }
    }

    /// <summary>A job's settings with its files, and what callers know these as.</summary>
    private (TrainingJobOptions Options, IReadOnlyDictionary<string, string> Names) Resolve(Principal caller, Proto.StartTrainingRequest request)
    {
        (string Path, string Name)? data = FindData(caller, request.TrainingData, "training_data");
        (string Path, string Name)? evaluation = FindData(caller, request.ValidationData, "validation_data");
        string? initial = request.Method is { InitFrom.Length: > 0 } method ? _adapters.FilesOf(caller, method.InitFrom) : null;
        var names = new Dictionary<string, string>();
        foreach ((string path, string name) in new[] { data, evaluation, initial is null ? null : (initial, request.Method!.InitFrom) }.OfType<(string, string)>())
        {
            names[path] = name;
        }

        TrainingJobOptions options = TrainingMapping.ToOptions(request) with { DataFile = data?.Path ?? "", EvaluationFile = evaluation?.Path, InitFrom = initial };
        return (options, names);
    }

    private (string Path, string Name)? FindData(Principal caller, Proto.TrainingData? data, string field)
    {
        switch (data?.SourceCase)
        {
            case Proto.TrainingData.SourceOneofCase.UploadId:
                return _data.Find(caller, data.UploadId)
                    ?? throw new RpcException(new Status(StatusCode.NotFound, $"{field}: there is no upload '{data.UploadId}'. Send the rows with UploadData."));
            case Proto.TrainingData.SourceOneofCase.Path:
                caller.RequireAdmin("train on the server's files");
                return (RootedPath.Below(_options.DataRoot, data.Path, "data root"), data.Path);
            default:
                return null;
        }
    }

    private void CheckPublish(Principal caller, Proto.StartTrainingRequest request, TrainingJobOptions options)
    {
        if (request.Publish is { } target)
        {
            // A result that cannot be published is better refused before its training than after.
            if (MethodCatalog.Find(options.Method) is not [{ MakesModel: false }])
            {
                throw new TrainingOptionsException($"method.method is {options.Method}, which does not make one adapter; publish expects one. Leave publish out to keep the result in the server's training folder.");
            }

            _adapters.CheckPublish(caller, target.Name, Options(target));
        }
    }

    private static PublishOptions Options(Proto.PublishTarget target) => new()
    {
        ExpectedVersion = target.HasExpectedVersion ? TrainingMapping.Whole(target.ExpectedVersion, "expected version") : null,
        Aliases = [.. target.Aliases],
    };
}
