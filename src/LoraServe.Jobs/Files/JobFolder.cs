using System.Text.Json;
using LoraServe.Compute.Files;
using LoraServe.Jobs.Records;
using LoraServe.Training.Reports;
using Microsoft.Extensions.Logging;

namespace LoraServe.Jobs.Files;

/// <summary>Jobs on disk: a folder for each, with <c>job.json</c>, which is replaced as a whole, and the run's own files.</summary>
internal sealed class JobFolder(string root)
{
    private const string FileName = "job.json";

    /// <summary>Where a job's run keeps its files; its report is called by the folder's name.</summary>
    public string RunFolder(Job job) => Path.Combine(root, job.Id, "run", job.Request.Publish?.Name ?? "adapter");

    /// <summary>Every job, the oldest first. Damaged ones are set aside and named in the log.</summary>
    public IReadOnlyList<JobState> Load(ILogger logger)
    {
        Directory.CreateDirectory(root);
        var jobs = new List<JobState>();
        foreach (string folder in Directory.GetDirectories(root).Where(folder => !DamagedFiles.IsAside(folder)))
        {
            try
            {
                jobs.Add(Read(folder));
            }
            catch (Exception damage) when (StorageFailure.Is(damage) || damage is JsonException or InvalidDataException)
            {
                DamagedFiles.SetAside(folder, $"{FileName}: {damage.Message} To bring the job back, restore the file and the folder's name; else start the job again.", logger);
            }
        }

        return [.. jobs.OrderBy(state => state.Job.CreatedAt)];
    }

    /// <summary>Writes a job's file: it is on the disk, and stays, before this returns.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be written.</exception>
    public void Save(JobState state)
    {
        string folder = Path.Combine(root, state.Job.Id);
        string? result = state.ResultFolder is { } made ? Path.GetRelativePath(folder, made) : null;
        var file = new JobFile(state.Job, state.IsAdmin, state.Attempts, state.CheckpointedStep, state.IsCancelRequested, result);
        if (!Directory.Exists(folder))
        {
            Directory.CreateDirectory(folder);
            AtomicFile.FlushFolder(root);
        }

        AtomicFile.WriteAllText(Path.Combine(folder, FileName), JsonSerializer.Serialize(file, JobJson.File));
    }

    /// <summary>Deletes the checkpoints and work files of a run that has ended without a result; its metrics stay.</summary>
    public void Release(Job job)
    {
        var run = new DirectoryInfo(RunFolder(job));
        foreach (FileSystemInfo entry in run.Exists ? run.GetFileSystemInfos() : [])
        {
            if (entry is DirectoryInfo folder)
            {
                folder.Delete(recursive: true);
            }
            else if (entry.Name is not (MetricsLog.FileName or HtmlReport.FileName))
            {
                entry.Delete();
            }
        }
    }

    /// <summary>Deletes all of a job.</summary>
    public void Delete(Job job)
    {
        string folder = Path.Combine(root, job.Id);
        if (Directory.Exists(folder))
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static JobState Read(string folder)
    {
        // What a newer server wrote about a job, and this one does not know, is no reason not to go on with it.
        JobFile? file = JsonSerializer.Deserialize(File.ReadAllText(Path.Combine(folder, FileName)), JobJson.File);
        if (file?.Job is not { } job)
        {
            throw new InvalidDataException("it has no job.");
        }

        if (job.Id != Path.GetFileName(folder))
        {
            throw new InvalidDataException($"its job is another: '{job.Id}'.");
        }

        if (file.Result?.Contains('\0', StringComparison.Ordinal) == true)
        {
            throw new InvalidDataException("its result holds a null character; expected a path relative to the job's folder.");
        }

        return new JobState(job, file.IsAdmin)
        {
            Attempts = file.Attempts,
            CheckpointedStep = file.CheckpointedStep,
            IsCancelRequested = file.IsCancelRequested,
            ResultFolder = file.Result is { } result ? Path.Combine(folder, result) : null,
        };
    }
}
