using Proto = LoraServe.V1;

namespace LoraServe.Server.Training;

public sealed partial class TrainingJobs
{
    /// <summary>Gives back what a job that has ended needs no longer: its rows, and unless it is trained, its checkpoints. The lock is not held.</summary>
    /// <remarks>No call goes on with a job that has ended, so no checkpoint of one has a use.</remarks>
    private void Release(JobRecord record)
    {
        if (!record.HasEnded)
        {
            return;
        }

        try
        {
            if (record.ResultFolder is null && record.Job.Status != Proto.TrainingStatus.Succeeded)
            {
                _folder.Release(record.Job);
            }

            foreach (string upload in UploadsOf(record.Job.Request))
            {
                _data.Release(upload);
            }
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            LogNotReleased(record.Job.Id, failure);
        }
    }

    /// <summary>Forgets the oldest jobs that have ended, beyond as many as are kept. The lock is not held.</summary>
    private void ForgetOldest()
    {
        JobRecord[] forgotten;
        lock (_lock)
        {
            JobRecord[] ended = [.. _jobs.Values.Where(record => record.HasEnded)];
            forgotten = [.. ended.Take(Math.Max(0, ended.Length - _options.MaxEndedJobs)).Where(record => record.ResultFolder is not { } result || _adapters.FindByFiles(result) is null)];
            foreach (JobRecord record in forgotten)
            {
                _jobs.Remove(record.Job.Id);
            }
        }

        foreach (JobRecord record in forgotten)
        {
            try
            {
                _folder.Delete(record.Job);
                LogForgotten(record.Job.Id, _options.MaxEndedJobs);
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
            {
                LogNotReleased(record.Job.Id, failure);
            }
        }
    }

    private static IEnumerable<string> UploadsOf(Proto.StartTrainingRequest request) =>
        new[] { request.TrainingData?.UploadId, request.ValidationData?.UploadId }.OfType<string>().Where(id => id.Length > 0);

    private bool IsNeeded(string upload)
    {
        lock (_lock)
        {
            return _jobs.Values.Where(record => !record.HasEnded).Select(record => record.Job.Request).Concat(_starting).Any(request => UploadsOf(request).Contains(upload));
        }
    }
}
