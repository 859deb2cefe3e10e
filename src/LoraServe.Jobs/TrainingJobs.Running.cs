using LoraServe.Adapters;
using LoraServe.Adapters.Loading;
using LoraServe.Jobs.Files;
using LoraServe.Jobs.Queue;
using LoraServe.Jobs.Records;
using LoraServe.Serving.Requests;
using LoraServe.Serving.Store;
using LoraServe.Training.Checkpoints;
using LoraServe.Training.Data;
using LoraServe.Training.Options;
using LoraServe.Training.Reports;
using LoraServe.Training.Steps;

namespace LoraServe.Jobs;

public sealed partial class TrainingJobs
{
    /// <summary>Begins as many jobs as may run. The lock is not held.</summary>
    private void Pump()
    {
        lock (_lock)
        {
            _runs.RemoveAll(run => run.IsCompleted);
            while (!_isStopping && _queue.Take() is { } place)
            {
                JobRecord record = _jobs[place.Id];
                _runs.Add(Task.Run(() => RunAsync(record, place)));
            }
        }
    }

    private async Task RunAsync(JobRecord record, QueuedJob place)
    {
        try
        {
            if (Begin(record) is { } stop)
            {
                await TrainAsync(record, stop.Token).ConfigureAwait(false);
            }
        }
        catch (Exception fault)
        {
            // Nothing that goes wrong with one job may keep those after it from running.
            LogFault(record.Id, fault);
        }

        lock (_lock)
        {
            _queue.Remove(place);
        }

        TidyUp(record);
        Pump();
    }

    /// <summary>Marks a job as running; null where there is nothing to run.</summary>
    private CancellationTokenSource? Begin(JobRecord record)
    {
        int step = Checkpointed(record);
        var stop = new CancellationTokenSource();
        lock (_lock)
        {
            if (_isStopping)
            {
                return null;
            }

            // Before it is seen to run: who cancels it then finds what stops it.
            record.Stop = stop;
        }

        JobState? begun = Change(record, draft =>
        {
            if (draft.HasEnded)
            {
                return null;
            }

            if (draft.IsCancelRequested)
            {
                return Ended(draft, JobStatus.Cancelled, "");
            }

            // Who comes further each time ends the server by no fault of its own.
            int attempts = step > draft.CheckpointedStep ? 0 : draft.Attempts;
            if (attempts >= _options.MaxAttempts)
            {
                return Ended(draft, JobStatus.Failed, $"The server ended {attempts} times while this job ran, without being stopped and before the job had a further checkpoint; the job may take more memory than there is.");
            }

            return draft with
            {
                Job = draft.Job with { Status = JobStatus.Running, StartedAt = draft.Job.StartedAt ?? _time.GetUtcNow() },
                Attempts = attempts + 1,
                CheckpointedStep = Math.Max(step, draft.CheckpointedStep),
            };
        });
        if (begun is not { HasEnded: false })
        {
            return null;
        }

        LogRunning(record.Id, begun.Attempts, begun.CheckpointedStep);
        return stop;
    }

    private int Checkpointed(JobRecord record)
    {
        try
        {
            return _runner.CheckpointedStep(_folder.RunFolder(record.State.Job));
        }
        catch (Exception failure) when (StorageFailure.Is(failure))
        {
            return 0;
        }
    }

    private async Task TrainAsync(JobRecord record, CancellationToken stop)
    {
        IReadOnlyDictionary<string, string> names = new Dictionary<string, string>();
        string folder = _folder.RunFolder(record.State.Job);
        try
        {
            bool wasTrained = record.State.ResultFolder is not null;
            if (!wasTrained)
            {
                (TrainingJobOptions options, names) = Resolve(record.Owner, record.State.Job.Request);
                Directory.CreateDirectory(folder);
                TrainingOutcome outcome = await _runner.RunAsync(options, folder, progress => Note(record, progress), stop).ConfigureAwait(false);
                Change(record, draft => draft with { Job = draft.Job with { Result = JobResult.Of(outcome.Summary) }, ResultFolder = outcome.Directory });
            }

            string adapter = await PublishAsync(record, record.State.ResultFolder!, wasTrained).ConfigureAwait(false);
            Change(record, draft => Ended(draft with { Job = draft.Job with { Adapter = adapter } }, JobStatus.Succeeded, ""));
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Where the server was told to stop, this attempt speaks not against the job.
            JobState? now = Change(record, draft => draft.IsCancelRequested ? Ended(draft, JobStatus.Cancelled, "") : draft with { Attempts = draft.Attempts - 1 });
            if (now is { HasEnded: false })
            {
                LogInterrupted(record.Id);
            }
        }
        catch (Exception failure)
        {
            string? reason = Reason(failure);
            if (reason is null)
            {
                LogFault(record.Id, failure);
            }

            string error = reason is null ? "The server failed on this job; its log says why." : WithoutPaths(reason, names).Replace(folder, "the job's folder", StringComparison.Ordinal);
            Change(record, draft => Ended(draft, JobStatus.Failed, error));
        }
    }

    /// <summary>What the caller is told of a failure; null for a fault of the server.</summary>
    private static string? Reason(Exception failure) => failure switch
    {
        EngineException or AdapterFormatException or TrainingOptionsException or TrainingDataException => failure.Message,
        DivergenceException or CheckpointException or InvalidDataException or IOException => failure.Message,
        _ => null,
    };

    private async Task<string> PublishAsync(JobRecord record, string directory, bool wasTrained)
    {
        if (record.State.Job.Request.Publish is not { } target)
        {
            return "";
        }

        // The server may have ended after publishing and before it could note that.
        AdapterRecord? there = wasTrained ? _adapters.FindByDigest(target.Name, AdapterLoader.DigestOf(directory)) : null;
        AdapterRecord adapter = there
            ?? (await _adapters.PublishAsync(record.Owner, target.Name, directory, OptionsOf(target), CancellationToken.None).ConfigureAwait(false)).Adapter;
        return $"{adapter.Name}@{adapter.Version}";
    }

    private void Note(JobRecord record, TrainingProgress progress)
    {
        var happened = new JobEvent(null, progress);
        lock (_lock)
        {
            record.Progress = progress;
            record.LastEvaluation = progress.EvaluationLoss is null ? record.LastEvaluation : progress;
            Tell(record, happened);
        }
    }

    /// <summary>What a job is once it has ended.</summary>
    private JobState Ended(JobState draft, JobStatus status, string error)
    {
        DateTimeOffset now = _time.GetUtcNow();
        return draft with
        {
            Job = draft.Job with
            {
                Status = status,
                Error = error,
                FinishedAt = now,
                ResumableUntil = status != JobStatus.Succeeded && _options.KeepFailedFor > TimeSpan.Zero ? now + _options.KeepFailedFor : null,
            },
        };
    }

    /// <summary>Changes a job: it is written first, and seen then. Changes of one job come one after the other. The lock is not held.</summary>
    /// <param name="record">The job.</param>
    /// <param name="change">Makes of a draft what the job is next; null where it stays as it is.</param>
    /// <param name="isPromise">Whether somebody will be told that it happened, so that it must not unless it is on the disk.</param>
    /// <param name="commit">What else happens at the moment from which the change is seen; the lock is held.</param>
    /// <returns>What the job is now; null where it stayed as it was.</returns>
    /// <exception cref="EngineException">A promise could not be written; nothing changed.</exception>
    private JobState? Change(JobRecord record, Func<JobState, JobState?> change, bool isPromise = false, Action? commit = null)
    {
        lock (record.Changing)
        {
            JobState before;
            JobState draft;
            lock (_lock)
            {
                before = record.State;
                draft = record.Draft();
            }

            if (change(draft) is not { } next)
            {
                return null;
            }

            bool isSaved = Save(record, next, isPromise);
            lock (_lock)
            {
                record.State = next;
                record.IsUnsaved = !isSaved;
                commit?.Invoke();
                if (next.HasEnded && record.Place is { } place)
                {
                    _queue.Remove(place);
                    (record.Place, record.Stop) = (null, null);
                }

                if (next.Job.Status != before.Job.Status)
                {
                    Tell(record, new JobEvent(Seen(record), null));
                }

                if (next.HasEnded)
                {
                    record.Watchers.ForEach(watcher => watcher.Writer.TryComplete());
                }
            }

            if (next.HasEnded && !before.HasEnded)
            {
                LogEnded(record.Id, next.Job.Status, next.Job.Error.Length > 0 ? next.Job.Error : next.Job.Adapter);
            }

            return next;
        }
    }

    /// <summary>Writes a state. What is no promise and cannot be written is tried again later: until then the job goes on, and keeps all that it would need after a restart.</summary>
    private bool Save(JobRecord record, JobState state, bool isPromise)
    {
        try
        {
            _folder.Save(state);
            return true;
        }
        catch (Exception failure) when (StorageFailure.Is(failure))
        {
            LogNotSaved(record.Id, failure);
            if (!isPromise)
            {
                return false;
            }

            // The file may be the new one although its folder could not be flushed.
            lock (_lock)
            {
                record.IsUnsaved = true;
            }

            throw StorageFailure.Refusal(failure);
        }
    }

    private static void Tell(JobRecord record, JobEvent happened) => record.Watchers.ForEach(watcher => watcher.Writer.TryWrite(happened));

    // Callers know files by the names that they gave; where those lie on the machine is not their business.
    private static string WithoutPaths(string message, IReadOnlyDictionary<string, string> names) =>
        names.Aggregate(message, (text, name) => text.Replace(name.Key, name.Value, StringComparison.Ordinal));
}
