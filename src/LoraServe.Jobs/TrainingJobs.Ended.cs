using LoraServe.Jobs.Files;
using LoraServe.Jobs.Records;
using LoraServe.Jobs.Rows;
using LoraServe.Serving.Requests;

namespace LoraServe.Jobs;

public sealed partial class TrainingJobs
{
    private static readonly TimeSpan s_sweepInterval = TimeSpan.FromMinutes(10);

    /// <summary>Lets go of what is kept no longer, and writes what could not be written. The lock is not held.</summary>
    internal void Sweep()
    {
        try
        {
            LetGo();
        }
        catch (Exception fault)
        {
            // On a timer's thread nobody else would catch it.
            LogSweepFault(fault);
        }
    }

    private void LetGo()
    {
        SaveUnsaved();
        DateTimeOffset now = _time.GetUtcNow();
        JobRecord[] ended;
        lock (_lock)
        {
            ended = [.. _jobs.Values.Where(record => record.State.HasEnded)];
        }

        foreach (JobRecord record in ended)
        {
            Lapse(record, state => state.Job.ResumableUntil <= now);
            Release(record);
        }

        foreach (string tenant in ended.Select(record => record.Owner.Tenant).Distinct())
        {
            LapseOldest(tenant);
        }

        ForgetOldest();
    }

    /// <summary>Gives back what a job needs no longer, where it has ended. The lock is not held.</summary>
    private void TidyUp(JobRecord record)
    {
        if (record.State.HasEnded)
        {
            LapseOldest(record.Owner.Tenant);
            Release(record);
            ForgetOldest();
        }
    }

    /// <summary>Rows are gone: no job can go on with them.</summary>
    private void Lapse(string upload)
    {
        JobRecord[] concerned;
        lock (_lock)
        {
            concerned = [.. _jobs.Values.Where(record => record.State.IsResumable && record.State.Job.Request.Uploads.Contains(upload))];
        }

        foreach (JobRecord record in concerned)
        {
            Lapse(record, state => state.ResultFolder is null);
            Release(record);
        }
    }

    /// <summary>Lets go of a tenant's jobs that could be resumed, beyond as many as are kept: those that ended first.</summary>
    private void LapseOldest(string tenant)
    {
        JobRecord[] beyond;
        lock (_lock)
        {
            beyond =
            [
                .. _jobs.Values.Where(record => record.Owner.Tenant == tenant && record.State.IsResumable)
                    .OrderByDescending(record => record.State.Job.FinishedAt)
                    .Skip(_options.MaxResumableJobsPerTenant),
            ];
        }

        foreach (JobRecord record in beyond)
        {
            Lapse(record, _ => true);
            Release(record);
        }
    }

    private void Lapse(JobRecord record, Func<JobState, bool> isDue)
    {
        JobState? lapsed = Change(record, draft => draft.IsResumable && isDue(draft) ? draft with { Job = draft.Job with { ResumableUntil = null } } : null);
        if (lapsed is not null)
        {
            LogLapsed(record.Id);
        }
    }

    /// <summary>Deletes what a job that has ended needs no longer: its rows, and unless it is trained, its checkpoints. The lock is not held.</summary>
    private void Release(JobRecord record)
    {
        JobState state;
        lock (_lock)
        {
            state = record.State;

            // What is not written yet would need it all after a restart.
            if (!state.HasEnded || record.IsUnsaved)
            {
                return;
            }
        }

        try
        {
            if (state is { IsResumable: false, ResultFolder: null } && state.Job.Status != JobStatus.Succeeded)
            {
                _folder.Release(state.Job);
            }

            foreach (string upload in state.Job.Request.Uploads)
            {
                _data.Release(upload);
            }
        }
        catch (Exception failure) when (StorageFailure.Is(failure))
        {
            LogNotReleased(record.Id, failure);
        }
    }

    /// <summary>Forgets jobs that have ended, beyond as many as are kept: the oldest of whoever has most. The lock is not held.</summary>
    private void ForgetOldest()
    {
        JobRecord[] ended;
        lock (_lock)
        {
            ended = [.. _jobs.Values.Where(record => record.State.HasEnded)];
        }

        if (ended.Length <= _options.MaxEndedJobs)
        {
            return;
        }

        List<JobRecord> candidates = [.. ended.Where(record => !record.State.IsResumable && !IsServed(record.State.Job))];
        while (candidates.Count > _options.MaxEndedJobs)
        {
            string greatest = candidates.CountBy(record => record.Owner.Tenant).MaxBy(tenant => tenant.Value).Key;
            JobRecord oldest = candidates.First(record => record.Owner.Tenant == greatest);
            candidates.Remove(oldest);
            bool isForgotten;
            lock (_lock)
            {
                isForgotten = _jobs.Remove(oldest.Id);
            }

            if (isForgotten)
            {
                DeleteFolder(oldest);
                LogForgotten(oldest.Id, _options.MaxEndedJobs);
            }
        }
    }

    // Its files are served from where it made them.
    private bool IsServed(Job job) => job.Adapter.Length > 0 && _adapters.Find(Principal.Operator, job.Adapter) is not null;

    /// <summary>Writes what the disk would not take before.</summary>
    private void SaveUnsaved()
    {
        JobRecord[] unsaved;
        lock (_lock)
        {
            unsaved = [.. _jobs.Values.Where(record => record.IsUnsaved)];
        }

        foreach (JobRecord record in unsaved)
        {
            Change(record, draft => draft);
        }
    }

    private void DeleteFolder(JobRecord record)
    {
        try
        {
            _folder.Delete(record.State.Job);
        }
        catch (Exception failure) when (StorageFailure.Is(failure))
        {
            LogNotReleased(record.Id, failure);
        }
    }

    /// <summary>What jobs still have of rows. A job that could only not be published needs them no more.</summary>
    private DataUse UseOf(string upload)
    {
        lock (_lock)
        {
            bool isNamed = _starting.Exists(request => request.Uploads.Contains(upload));
            bool isKept = false;
            foreach (JobRecord record in _jobs.Values.Where(record => record.State.Job.Request.Uploads.Contains(upload)))
            {
                isNamed |= !record.State.HasEnded || record.IsUnsaved;
                isKept |= record.State is { IsResumable: true, ResultFolder: null };
            }

            return isNamed ? DataUse.Needed : isKept ? DataUse.Kept : DataUse.None;
        }
    }
}
