using Google.Protobuf.WellKnownTypes;
using LoraServe.Server.Errors;
using LoraServe.Training;
using LoraServe.Training.Checkpoints;
using LoraServe.Training.Reports;
using Proto = LoraServe.V1;

namespace LoraServe.Server.Training;

public sealed partial class TrainingJobs
{
    private async Task RunAllAsync()
    {
        await foreach (JobRecord record in _queue.Reader.ReadAllAsync().ConfigureAwait(false))
        {
            if (_stop.IsCancellationRequested)
            {
                return;
            }

            if (Begin(record) is { } stop)
            {
                await RunAsync(record, stop.Token).ConfigureAwait(false);
                lock (_lock)
                {
                    record.Stop = null;
                }

                stop.Dispose();
            }

            Release(record);
            ForgetOldest();
        }
    }

    /// <summary>Marks a job as running; null where there is nothing to run.</summary>
    private CancellationTokenSource? Begin(JobRecord record)
    {
        lock (_lock)
        {
            if (record.HasEnded)
            {
                return null;
            }

            if (record.IsCancelRequested)
            {
                End(record, Proto.TrainingStatus.Cancelled, "");
                return null;
            }

            if (record.Attempts >= _options.MaxAttempts)
            {
                End(record, Proto.TrainingStatus.Failed, $"The server ended {record.Attempts} times while this job ran, without being stopped; the job may take more memory than there is.");
                return null;
            }

            record.Attempts++;
            record.Job.Status = Proto.TrainingStatus.Running;
            record.Job.StartedAt ??= _time.GetUtcNow().ToTimestamp();
            record.Stop = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
            Save(record);
            LogRunning(record.Job.Id, record.Attempts);
            Tell(record, new Proto.TrainingEvent { Job = Seen(record) });
            return record.Stop;
        }
    }

    private async Task RunAsync(JobRecord record, CancellationToken stop)
    {
        IReadOnlyDictionary<string, string> names = new Dictionary<string, string>();
        string folder = _folder.RunFolder(record.Job);
        try
        {
            if (record.ResultFolder is null)
            {
                (TrainingJobOptions options, names) = Resolve(record.Owner, record.Job.Request);
                Directory.CreateDirectory(folder);
                TrainingOutcome outcome = await _runner.RunAsync(options, folder, progress => Note(record, progress), stop).ConfigureAwait(false);
                lock (_lock)
                {
                    record.Job.Result = TrainingMapping.ToMessage(outcome.Summary);
                    record.ResultFolder = outcome.Directory;
                    Save(record);
                }
            }

            string adapter = await PublishAsync(record, record.ResultFolder).ConfigureAwait(false);
            lock (_lock)
            {
                record.Job.Adapter = adapter;
                End(record, Proto.TrainingStatus.Succeeded, "");
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            lock (_lock)
            {
                if (record.IsCancelRequested)
                {
                    End(record, Proto.TrainingStatus.Cancelled, "");
                }
                else
                {
                    // The server was told to stop, so this attempt speaks not against the job.
                    record.Attempts--;
                    Save(record);
                    LogInterrupted(record.Job.Id);
                }
            }
        }
        catch (Exception failure)
        {
            string? reason = Reason(failure);
            if (reason is null)
            {
                LogFault(record.Job.Id, failure);
            }

            lock (_lock)
            {
                End(record, Proto.TrainingStatus.Failed, reason is null ? "The server failed on this job; its log says why." : WithoutPaths(reason, names, folder));
            }
        }
    }

    /// <summary>What the caller is told of a failure; null for a fault of the server.</summary>
    private static string? Reason(Exception failure) => failure switch
    {
        _ when ErrorStatus.Of(failure) is { } refusal => refusal.Status.Detail,
        DivergenceException or CheckpointException or InvalidDataException or IOException => failure.Message,
        _ => null,
    };

    private async Task<string> PublishAsync(JobRecord record, string directory)
    {
        if (record.Job.Request.Publish is not { } target)
        {
            return "";
        }

        // The server may have ended after publishing and before it could note that; these files are this job's alone.
        if (_adapters.FindByFiles(directory) is not { } adapter)
        {
            adapter = (await _adapters.PublishAsync(record.Owner, target.Name, directory, Options(target), CancellationToken.None).ConfigureAwait(false)).Adapter;
        }

        return $"{adapter.Name}@{adapter.Version}";
    }

    private void Note(JobRecord record, TrainingProgress progress)
    {
        Proto.TrainingProgress message = TrainingMapping.ToMessage(progress);
        lock (_lock)
        {
            record.Job.Progress = message;
            record.Job.LastEvaluation = message.HasEvalLoss ? message : record.Job.LastEvaluation;
            Tell(record, new Proto.TrainingEvent { Progress = message.Clone() });
        }
    }

    /// <summary>Ends a job; the lock is held.</summary>
    private void End(JobRecord record, Proto.TrainingStatus status, string error)
    {
        record.Job.Status = status;
        record.Job.Error = error;
        record.Job.FinishedAt = _time.GetUtcNow().ToTimestamp();
        Save(record);
        LogEnded(record.Job.Id, status, error.Length > 0 ? error : record.Job.Adapter);
        Tell(record, new Proto.TrainingEvent { Job = Seen(record) });
        record.Watchers.ForEach(watcher => watcher.Writer.TryComplete());
    }

    // What cannot be written is not lost before the server ends, and no reason to end the jobs after it.
    private void Save(JobRecord record)
    {
        try
        {
            _folder.Save(record);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            LogNotSaved(record.Job.Id, failure);
        }
    }

    private static void Tell(JobRecord record, Proto.TrainingEvent happened) => record.Watchers.ForEach(watcher => watcher.Writer.TryWrite(happened));

    // Callers know files by the names that they gave; where those lie on the machine is not their business.
    private static string WithoutPaths(string message, IReadOnlyDictionary<string, string> names, string folder) =>
        names.Aggregate(message, (text, name) => text.Replace(name.Key, name.Value, StringComparison.Ordinal)).Replace(folder, "the job's folder", StringComparison.Ordinal);
}
