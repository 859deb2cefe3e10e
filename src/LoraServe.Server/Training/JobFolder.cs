using System.Text.Json;
using System.Text.Json.Nodes;
using Google.Protobuf;
using LoraServe.Compute.Files;
using LoraServe.Training.Reports;
using Microsoft.Extensions.Logging;
using Proto = LoraServe.V1;

namespace LoraServe.Server.Training;

/// <summary>Jobs on disk: a folder for each, with <c>job.json</c>, which is replaced as a whole, and the run's own files.</summary>
internal sealed class JobFolder(string root)
{
    private const string FileName = "job.json";

    // What a newer server wrote about a job is no reason for an older one not to start.
    private static readonly JsonParser s_parser = new(JsonParser.Settings.Default.WithIgnoreUnknownFields(true));

    /// <summary>Where a job's run keeps its files; its report is called by the folder's name.</summary>
    public string RunFolder(Proto.TrainingJob job) => Path.Combine(root, job.Id, "run", job.Request.Publish?.Name ?? "adapter");

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
            catch (Exception damage) when (
                StorageFailure.Is(damage) || damage is JsonException or InvalidProtocolBufferException or InvalidDataException or InvalidOperationException or FormatException)
            {
                DamagedFiles.SetAside(folder, $"{FileName}: {damage.Message} To bring the job back, restore the file and the folder's name; else start the job again.", logger);
            }
        }

        return [.. jobs.OrderBy(state => state.Job.CreatedAt.ToDateTimeOffset())];
    }

    /// <summary>Writes a job's file: it is on the disk, and stays, before this returns.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be written.</exception>
    public void Save(JobState state)
    {
        var file = new JsonObject
        {
            ["job"] = JsonNode.Parse(JsonFormatter.Default.Format(state.Job)),
            ["isAdmin"] = state.IsAdmin,
            ["attempts"] = state.Attempts,
            ["checkpointedStep"] = state.CheckpointedStep,
            ["isCancelRequested"] = state.IsCancelRequested,
        };
        string folder = Path.Combine(root, state.Job.Id);
        if (state.ResultFolder is { } result)
        {
            file["result"] = Path.GetRelativePath(folder, result);
        }

        if (!Directory.Exists(folder))
        {
            Directory.CreateDirectory(folder);
            AtomicFile.FlushFolder(root);
        }

        AtomicFile.WriteAllText(Path.Combine(folder, FileName), file.ToJsonString());
    }

    /// <summary>Deletes the checkpoints and work files of a run that has ended without a result; its metrics stay.</summary>
    public void Release(Proto.TrainingJob job)
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
    public void Delete(Proto.TrainingJob job)
    {
        string folder = Path.Combine(root, job.Id);
        if (Directory.Exists(folder))
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static JobState Read(string folder)
    {
        if (JsonNode.Parse(File.ReadAllText(Path.Combine(folder, FileName))) is not JsonObject file || file["job"] is not JsonObject json)
        {
            throw new InvalidDataException("it has no job.");
        }

        Proto.TrainingJob job = s_parser.Parse<Proto.TrainingJob>(json.ToJsonString());
        if (job.Id != Path.GetFileName(folder) || job.Request is null || job.CreatedAt is null || job.Status == Proto.TrainingStatus.Unspecified)
        {
            throw new InvalidDataException($"id, request, created_at or status of the job is missing or another's: '{job.Id}', {job.Status}.");
        }

        return new JobState(job, file["isAdmin"]?.GetValue<bool>() ?? false)
        {
            Attempts = file["attempts"]?.GetValue<int>() ?? 0,
            CheckpointedStep = file["checkpointedStep"]?.GetValue<int>() ?? 0,
            IsCancelRequested = file["isCancelRequested"]?.GetValue<bool>() ?? false,
            ResultFolder = file["result"] is { } result ? Path.Combine(folder, result.GetValue<string>()) : null,
        };
    }
}
