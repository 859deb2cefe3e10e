using System.ComponentModel.DataAnnotations;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using LoraServe.Serving;
using LoraServe.Serving.Store;
using LoraServe.Training;
using LoraServe.Training.Methods;
using LoraServe.Training.Reports;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Proto = LoraServe.V1;

namespace LoraServe.Server.Training;

/// <summary>Training jobs, first come first served. They survive a restart: what waited waits again, what ran goes on from its checkpoint.</summary>
public sealed partial class TrainingJobs : IAsyncDisposable
{
    /// <summary>Who reads more slowly than this many steps misses the oldest of them.</summary>
    private const int MostUnreadEvents = 1024;

    /// <summary>After which time to come back when the queue is full.</summary>
    private static readonly TimeSpan s_retry = TimeSpan.FromSeconds(30);

    private readonly Lock _lock = new();
    private readonly OrderedDictionary<string, JobRecord> _jobs = []; // the oldest first
    private readonly List<Proto.StartTrainingRequest> _starting = []; // not jobs yet; their rows must stay
    private readonly Channel<JobRecord> _queue = Channel.CreateUnbounded<JobRecord>();
    private readonly CancellationTokenSource _stop = new();
    private readonly ITrainingRunner _runner;
    private readonly AdapterStore _adapters;
    private readonly TrainingOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly JobFolder _folder;
    private readonly DataFolder _data;
    private readonly Task[] _workers;

    /// <summary>Takes up the jobs of the state folder and begins to run them.</summary>
    /// <param name="runner">What trains.</param>
    /// <param name="adapters">Where results are published.</param>
    /// <param name="options">Folders and limits; the state folder must be set.</param>
    /// <param name="loggers">Where to log; null for nowhere.</param>
    /// <param name="time">The clock; null for the system's.</param>
    /// <exception cref="ValidationException">An option is out of range.</exception>
    /// <exception cref="InvalidDataException">A file of the state folder is damaged; the message names it.</exception>
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
        _folder = new JobFolder(Path.Combine(state, "jobs"));
        _data = new DataFolder(Path.Combine(state, "data"), options, _time, IsNeeded);
        IReadOnlyList<JobRecord> known = _folder.Load();
        foreach (JobRecord record in known)
        {
            _jobs.Add(record.Job.Id, record);
        }

        // What was not given back when the server ended.
        foreach (JobRecord record in known)
        {
            Release(record);
        }

        ForgetOldest();

        // What ran comes before what waited.
        foreach (JobRecord record in known.Where(record => !record.HasEnded).OrderBy(record => record.Job.Status == Proto.TrainingStatus.Running ? 0 : 1))
        {
            _queue.Writer.TryWrite(record);
        }

        _workers = [.. Enumerable.Range(0, options.MaxRunningJobs).Select(_ => Task.Run(RunAllAsync))];
    }

    /// <summary>Stops what runs after its step, to go on at the next start.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_stop.IsCancellationRequested)
        {
            return;
        }

        await _stop.CancelAsync().ConfigureAwait(false);
        _queue.Writer.TryComplete();
        await Task.WhenAll(_workers).ConfigureAwait(false);
        lock (_lock)
        {
            foreach (Channel<Proto.TrainingEvent> watcher in _jobs.Values.SelectMany(record => record.Watchers))
            {
                watcher.Writer.TryComplete(Stopping());
            }
        }

        _stop.Dispose();
    }

    internal DataUpload BeginUpload(Principal caller, string fileName) => _data.Begin(caller, fileName);

    internal async Task<Proto.TrainingJob> StartAsync(Principal caller, Proto.StartTrainingRequest request, CancellationToken cancellationToken)
    {
        request = request.Clone();
        lock (_lock)
        {
            _starting.Add(request);
        }

        try
        {
            return await AddAsync(caller, request, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            lock (_lock)
            {
                _starting.Remove(request);
            }
        }
    }

    private async Task<Proto.TrainingJob> AddAsync(Principal caller, Proto.StartTrainingRequest request, CancellationToken cancellationToken)
    {
        FixInitialAdapter(caller, request);
        TrainingJobOptions options = Resolve(caller, request).Options;
        options.Validate(TrainingMapping.FieldOf);
        CheckPublish(caller, request, options);
        await Task.Run(() => _runner.Check(options), cancellationToken).ConfigureAwait(false);
        var job = new Proto.TrainingJob
        {
            Id = $"job-{Guid.NewGuid():n}",
            Status = Proto.TrainingStatus.Queued,
            Owner = caller.Tenant,
            Request = request,
            CreatedAt = _time.GetUtcNow().ToTimestamp(),
        };
        var record = new JobRecord(job, caller);
        lock (_lock)
        {
            RequireOpen();
            int waiting = _jobs.Values.Count(other => other.Job.Status == Proto.TrainingStatus.Queued);
            if (waiting >= _options.MaxQueuedJobs)
            {
                throw new EngineException(EngineError.QueueFull, $"{waiting} training jobs wait already, as many as may. Come back when one has ended, or cancel one.") { RetryAfter = s_retry };
            }

            _folder.Save(record);
            _jobs.Add(job.Id, record);
            _queue.Writer.TryWrite(record);
            LogQueued(job.Id, caller.Tenant, options.Method);
            return Seen(record);
        }
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
                .. _jobs.Values.Reverse().Where(record => CanSee(caller, record) && (statuses.Count == 0 || statuses.Contains(record.Job.Status))).Take(limit).Select(Seen),
            ];
        }
    }

    internal Proto.TrainingJob Cancel(Principal caller, string id)
    {
        JobRecord record;
        Proto.TrainingJob seen;
        lock (_lock)
        {
            record = Find(caller, id);
            if (record.Job.Status == Proto.TrainingStatus.Queued)
            {
                End(record, Proto.TrainingStatus.Cancelled, "");
            }
            else if (!record.HasEnded)
            {
                // A job that ran before a restart and waits to go on is noticed when its turn comes.
                record.IsCancelRequested = true;
                record.Stop?.Cancel();
            }

            seen = Seen(record);
        }

        Release(record);
        ForgetOldest();
        return seen;
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
            hasEnded = record.HasEnded;
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
        if (_stop.IsCancellationRequested)
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
        Proto.TrainingJob job = record.Job.Clone();
        if (job.Status == Proto.TrainingStatus.Queued)
        {
            job.QueuePosition = (uint)_jobs.Values.TakeWhile(other => other != record).Count(other => other.Job.Status == Proto.TrainingStatus.Queued);
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
        ExpectedVersion = target.HasExpectedVersion ? (int)Math.Min(target.ExpectedVersion, int.MaxValue) : null,
        Aliases = [.. target.Aliases],
    };
}
