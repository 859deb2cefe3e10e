using LoraServe.Fuzz.Seeds;
using LoraServe.Jobs.Files;
using LoraServe.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace LoraServe.Fuzz.Targets;

/// <summary>Jobs' files: what is damaged is set aside, and nothing is thrown.</summary>
internal sealed class JobTarget : FuzzTarget
{
    private const string FileName = "job.json";

    public override string Name => "job";

    public override void Read(string folder)
    {
        string job = Path.Combine(folder, "jobs", "job-full");
        Directory.CreateDirectory(job);
        File.Copy(Path.Combine(folder, FileName), Path.Combine(job, FileName));
        var jobs = new JobFolder(Path.GetDirectoryName(job)!);
        foreach (JobState state in jobs.Load(NullLogger.Instance))
        {
            jobs.Save(state);
        }

        if (jobs.Load(NullLogger.Instance).Count == 0)
        {
            throw new InvalidDataException($"{FileName} was set aside.");
        }
    }

    protected override IEnumerable<Seed> MakeSeeds() => [Seed.Of("full", FileName, File.ReadAllBytes(Repository.Fixture("jobs/job-full/job.json")))];
}
