using System.Globalization;
using LoraServe.Compute.Machine;

namespace LoraServe.Studio.Studies;

/// <summary>A study so far: what <c>study.json</c> holds.</summary>
/// <param name="Model">The base's name.</param>
/// <param name="Processor">Of the machine that it was measured on.</param>
/// <param name="Threads">Threads that computed.</param>
/// <param name="Baselines">The untouched base on each task.</param>
/// <param name="Results">Runs that are done, task by task, compared with full fine-tuning where that is among them.</param>
/// <param name="Failures">Runs of which nothing came.</param>
public sealed record StudySummary(string Model, string Processor, int Threads, IReadOnlyList<StudyBaseline> Baselines, IReadOnlyList<StudyResult> Results, IReadOnlyList<StudyFailure> Failures)
{
    /// <summary>The file for programs.</summary>
    public const string JsonFile = "study.json";

    /// <summary>The page for people.</summary>
    public const string PageFile = "study.html";

    /// <summary>The tasks' names.</summary>
    public IReadOnlyList<string> Tasks => [.. Results.Select(result => result.Task).Distinct()];

    /// <summary>Compares results.</summary>
    public static StudySummary Of(string model, int threads, IReadOnlyList<StudyBaseline> baselines, IEnumerable<StudyResult> results, IReadOnlyList<StudyFailure> failures)
    {
        StudyResult[] all = [.. results];
        return new StudySummary(
            model, ProcessorTopology.Name, threads, [.. baselines],
            [.. all.Select(result => result with { Summary = result.Summary with { FullScore = all.FirstOrDefault(full => full.IsFull && full.Task == result.Task)?.Summary.Score } })],
            [.. failures]);
    }

    /// <summary>The results of a task.</summary>
    public IReadOnlyList<StudyResult> Of(string task) => [.. Results.Where(result => result.Task == task)];

    /// <summary>The untouched base on a task, in words; empty where it is not measured.</summary>
    public string Untouched(string task) => Baselines.FirstOrDefault(baseline => baseline.Task == task) is { } baseline
        ? string.Create(CultureInfo.InvariantCulture, $"the untouched base: {(baseline.ExactMatch is { } match ? $"exact match {match:p1}, " : "")}eval loss {baseline.Loss:0.0000}")
        : "";

    /// <summary>Writes the file for programs and the page for people.</summary>
    public void Save(string folder)
    {
        StudyFiles.Write(Path.Combine(folder, JsonFile), this);
        StudyPage.Create(this).Save(Path.Combine(folder, PageFile));
    }
}
