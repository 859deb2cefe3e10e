using System.Text.Json.Nodes;
using Google.Protobuf;
using LoraServe.Compute.Files;
using LoraServe.Serving;
using LoraServe.Training.Reports;
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

    /// <summary>Every job, the oldest first.</summary>
    /// <exception cref="InvalidDataException">A file is damaged; the message names it.</exception>
    public IReadOnlyList<JobRecord> Load()
    {
        Directory.CreateDirectory(root);
        return [.. Directory.EnumerateDirectories(root).Select(folder => Path.Combine(folder, FileName)).Where(File.Exists).Select(Read).OrderBy(record => record.Job.CreatedAt.ToDateTimeOffset())];
    }

    /// <summary>Writes a job's file.</summary>
    public void Save(JobRecord record)
    {
        var file = new JsonObject
        {
            ["job"] = JsonNode.Parse(JsonFormatter.Default.Format(record.Job)),
            ["isAdmin"] = record.Owner.IsAdmin,
            ["attempts"] = record.Attempts,
        };
        string folder = Path.Combine(root, record.Job.Id);
        if (record.ResultFolder is { } result)
        {
            file["result"] = Path.GetRelativePath(folder, result);
        }

        string path = Path.Combine(folder, FileName);
        Directory.CreateDirectory(folder);
        AtomicFile.WriteAllText(path, file.ToJsonString());
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
    public void Delete(Proto.TrainingJob job) => Directory.Delete(Path.Combine(root, job.Id), recursive: true);

    private static JobRecord Read(string path)
    {
        try
        {
            JsonNode file = JsonNode.Parse(File.ReadAllText(path))!;
            Proto.TrainingJob job = s_parser.Parse<Proto.TrainingJob>(file["job"]!.ToJsonString());
            return new JobRecord(job, new Principal(job.Owner, file["isAdmin"]!.GetValue<bool>()))
            {
                Attempts = file["attempts"]!.GetValue<int>(),
                ResultFolder = file["result"] is { } result ? Path.Combine(Path.GetDirectoryName(path)!, result.GetValue<string>()) : null,
            };
        }
        catch (Exception damage) when (damage is System.Text.Json.JsonException or InvalidProtocolBufferException or InvalidOperationException or NullReferenceException or FormatException)
        {
            throw new InvalidDataException($"{path} is damaged: {damage.Message} Remove the job's folder, or restore the file.", damage);
        }
    }
}
