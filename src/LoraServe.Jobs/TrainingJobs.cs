using System.ComponentModel.DataAnnotations;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using LoraServe.Compute.Files;
using LoraServe.Jobs.Files;
using LoraServe.Jobs.Options;
using LoraServe.Jobs.Queue;
using LoraServe.Jobs.Records;
using LoraServe.Jobs.Rows;
using LoraServe.Models.Config;
using LoraServe.Serving.Requests;
using LoraServe.Serving.Store;
using LoraServe.Serving.Store.Files;
using LoraServe.Serving.Store.Versions;
using LoraServe.Training;
using LoraServe.Training.Data;
using LoraServe.Training.Methods;
using LoraServe.Training.Options;
using LoraServe.Training.Reports;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace LoraServe.Jobs;

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
    private readonly List<JobRequest> _starting = []; // not jobs yet; their rows must stay
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
            record.Place = new QueuedJob(record.Id, record.Owner, record.State.Job.Status == JobStatus.Running);
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
            foreach (Channel<JobEvent> watcher in _jobs.Values.SelectMany(record => record.Watchers))
            {
                watcher.Writer.TryComplete(Stopping());
            }
        }

        _held.Dispose();
    }

    /// <summary>Begins to take rows, which jobs of the same tenant name by their id once they are complete.</summary>
    /// <exception cref="EngineException">The name cannot be printed, or the disk fails.</exception>
    public DataUpload BeginUpload(Principal caller, string fileName) => _data.Begin(caller, fileName);

    /// <summary>Takes a job in, or refuses it: what can be seen to be wrong before training is refused here, rows with file and line.</summary>
    /// <param name="caller">Who asks.</param>
    /// <param name="request">What is asked for.</param>
    /// <param name="nameOf">What the caller calls a setting, for messages; see <see cref="TrainingJobOptions.Validate(Func{string, string})"/>.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="EngineException">There is no place for it, or it cannot work.</exception>
    /// <exception cref="TrainingOptionsException">Settings are wrong.</exception>
    public async Task<Job> StartAsync(Principal caller, JobRequest request, Func<string, string> nameOf, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(caller);
        ArgumentNullException.ThrowIfNull(request);
        QueuedJob place;
        lock (_lock)
        {
            RequireOpen();
            place = _queue.Reserve($"job-{Guid.NewGuid():n}", caller);
            _starting.Add(request);
        }

        try
        {
            JobRequest asked = WithFixedAdapter(caller, request);
            (TrainingJobOptions options, RowCheck rows) = await CheckAsync(caller, asked, nameOf, cancellationToken).ConfigureAwait(false);
            var job = new Job
            {
                Id = place.Id,
                Status = JobStatus.Queued,
                Owner = caller.Tenant,
                Request = asked,
                CreatedAt = _time.GetUtcNow(),
                CheckedRows = rows.Checked,
                TotalRows = rows.Total,
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
    private async Task<(TrainingJobOptions Options, RowCheck Rows)> CheckAsync(Principal caller, JobRequest request, Func<string, string> nameOf, CancellationToken cancellationToken)
    {
        (TrainingJobOptions options, IReadOnlyDictionary<string, string> names) = Resolve(caller, request);
        options.Validate(nameOf);
        CheckPublish(caller, request, options, nameOf);
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

    private Job Add(JobRecord record, QueuedJob place, string method)
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

        Job seen;
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

    /// <summary>A job as it is now.</summary>
    /// <exception cref="EngineException">There is none of that id that the caller may see.</exception>
    public Job Get(Principal caller, string id)
    {
        lock (_lock)
        {
            return Seen(Find(caller, id));
        }
    }

    /// <summary>Jobs that a caller may see, the newest first.</summary>
    /// <param name="caller">Who asks.</param>
    /// <param name="isWanted">Which of them.</param>
    /// <param name="limit">How many at most.</param>
    public IReadOnlyList<Job> List(Principal caller, Func<JobStatus, bool> isWanted, int limit)
    {
        lock (_lock)
        {
            return [.. _jobs.Values.Reverse().Where(record => CanSee(caller, record) && isWanted(record.State.Job.Status)).Take(limit).Select(Seen)];
        }
    }

    /// <summary>Ends a job after the step that runs. One that has ended already stays as it is.</summary>
    /// <exception cref="EngineException">There is none of that id that the caller may see, or the disk fails.</exception>
    public Job Cancel(Principal caller, string id)
    {
        JobRecord record;
        lock (_lock)
        {
            record = Find(caller, id);
        }

        Change(
            record,
            draft => draft.HasEnded || draft.IsCancelRequested ? null
                : draft.Job.Status == JobStatus.Queued ? Ended(draft, JobStatus.Cancelled, "")
                : draft with { IsCancelRequested = true }, // a job that ran before a restart and waits to go on ends when its turn comes
            isPromise: true);
        CancellationTokenSource? stop;
        Job seen;
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
    /// <exception cref="EngineException">There is none of that id that the caller may see, it cannot be gone on with, the queue is full, or the disk fails.</exception>
    public Job Resume(Principal caller, string id)
    {
        JobRecord record;
        QueuedJob place;
        lock (_lock)
        {
            RequireOpen();
            record = Find(caller, id);
            if (!record.State.HasEnded || record.State.Job.Status == JobStatus.Succeeded)
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
        if (!draft.HasEnded || draft.Job.Status == JobStatus.Succeeded)
        {
            return null;
        }

        if (!draft.IsResumable)
        {
            throw new EngineException(
                EngineError.Unsupported,
                $"Training job '{draft.Job.Id}' cannot be resumed: its rows and checkpoints are gone (LoraServe:Training:KeepFailedFor and MaxResumableJobsPerTenant say how long they stay). Start it again with its rows.");
        }

        return draft with
        {
            Job = draft.Job with { Status = JobStatus.Queued, Error = "", FinishedAt = null, ResumableUntil = null },
            Attempts = 0,
            IsCancelRequested = false,
        };
    }

    /// <summary>A job as it is now, then each of its steps and each change of its status, until it has ended. Who reads slowly misses steps, never the end.</summary>
    /// <param name="caller">Who asks.</param>
    /// <param name="id">The job.</param>
    /// <param name="includePast">Whether to begin with the steps taken so far.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="EngineException">There is none of that id that the caller may see, or the server stops.</exception>
    public async IAsyncEnumerable<JobEvent> WatchAsync(Principal caller, string id, bool includePast, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        Channel<JobEvent> channel = Channel.CreateBounded<JobEvent>(new BoundedChannelOptions(MostUnreadEvents) { FullMode = BoundedChannelFullMode.DropOldest });
        JobRecord record;
        Job now;
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
            yield return new JobEvent(now, null);
            string metrics = Path.Combine(_folder.RunFolder(now), MetricsLog.FileName);
            if (includePast && File.Exists(metrics))
            {
                foreach (TrainingProgress step in MetricsLog.Read(metrics).Where(step => hasEnded || step.Step <= (now.Progress?.Step ?? 0)))
                {
                    yield return new JobEvent(null, step);
                }

                if (hasEnded)
                {
                    yield return new JobEvent(now, null);
                }
            }

            await foreach (JobEvent happened in channel.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false))
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
            : throw new EngineException(EngineError.UnknownJob, $"There is no training job '{id}'. List the jobs to see those there are.");

    /// <summary>A job as it is now; the lock is held.</summary>
    private Job Seen(JobRecord record)
    {
        Job job = record.Draft().Job;
        return job.Status == JobStatus.Queued ? job with { QueuePosition = _queue.Order().TakeWhile(place => place != record.Place).Count() } : job;
    }

    // What is published under the name while the job waits must not change what the job makes.
    private JobRequest WithFixedAdapter(Principal caller, JobRequest request)
    {
        if (request.Method is not { InitFrom.Length: > 0 } method)
        {
            return request;
        }

        AdapterRecord adapter = _adapters.Get(caller, method.InitFrom);
        return request with { Method = method with { InitFrom = $"{adapter.Name}@{adapter.Version}" } };
    }

    /// <summary>A job's settings with its files, and what callers know these as.</summary>
    private (TrainingJobOptions Options, IReadOnlyDictionary<string, string> Names) Resolve(Principal caller, JobRequest request)
    {
        (string Path, string Name)? data = FindData(caller, request.TrainingData, "training_data");
        (string Path, string Name)? evaluation = FindData(caller, request.ValidationData, "validation_data");
        string? initial = request.Method is { InitFrom.Length: > 0 } method ? _adapters.FilesOf(caller, method.InitFrom) : null;
        var names = new Dictionary<string, string>();
        foreach ((string path, string name) in new[] { data, evaluation, initial is null ? null : (initial, request.Method!.InitFrom) }.OfType<(string, string)>())
        {
            names[path] = name;
        }

        TrainingJobOptions options = JobOptions.Of(request) with { DataFile = data?.Path ?? "", EvaluationFile = evaluation?.Path, InitFrom = initial };
        return (options, names);
    }

    private (string Path, string Name)? FindData(Principal caller, DataSource? data, string field)
    {
        switch (data)
        {
            case { UploadId: { } id }:
                return _data.Find(caller, id)
                    ?? throw new EngineException(EngineError.UnknownUpload, $"{field}: there is no upload '{id}'. Send the rows with UploadData.");
            case { Path: { } path }:
                caller.RequireAdmin("train on the server's files");
                return (RootedPath.Below(_options.DataRoot, path, "data root"), path);
            default:
                return null;
        }
    }

    private void CheckPublish(Principal caller, JobRequest request, TrainingJobOptions options, Func<string, string> nameOf)
    {
        if (request.Publish is { } target)
        {
            // A result that cannot be published is better refused before its training than after.
            if (MethodCatalog.Find(options.Method) is not [{ MakesModel: false }])
            {
                throw new TrainingOptionsException($"{nameOf("method")} is {options.Method}, which does not make one adapter; publish expects one. Leave publish out to keep the result in the server's training folder.");
            }

            _adapters.CheckPublish(caller, target.Name, OptionsOf(target));
        }
    }

    private static PublishOptions OptionsOf(PublishTarget target) => new() { ExpectedVersion = target.ExpectedVersion, Aliases = target.Aliases };
}
