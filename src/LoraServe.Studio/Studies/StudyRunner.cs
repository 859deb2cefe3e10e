using System.Globalization;
using LoraServe.Models;
using LoraServe.Studio.Evaluation;
using LoraServe.Training.Reports;

namespace LoraServe.Studio.Studies;

/// <summary>Does what is not done yet of a study, run by run, and keeps its tables up to date meanwhile.</summary>
/// <param name="options">What all runs have in common.</param>
/// <param name="modelName">The base's name.</param>
/// <param name="runs">The runs.</param>
/// <param name="worker">Does the work of each.</param>
/// <param name="log">Gets a line about what is done now.</param>
public sealed class StudyRunner(StudyOptions options, string modelName, IReadOnlyList<StudyRun> runs, IStudyWorker worker, TextWriter log)
{
    private const string BaselineFileName = "base.json";
    private readonly StudyResult?[] _results = new StudyResult?[runs.Count];
    private readonly List<StudyBaseline> _baselines = [];
    private readonly List<StudyFailure> _failures = [];

    /// <summary>Trains and measures.</summary>
    /// <exception cref="StudioException">A result that is there is damaged, or of other settings.</exception>
    public async Task<StudySummary> RunAsync(CancellationToken cancellationToken)
    {
        for (int i = 0; i < runs.Count; i++)
        {
            _results[i] = runs[i].ReadResult();
        }

        foreach (StudyTask task in runs.Select(run => run.Task).Distinct())
        {
            await MeasureBaselineAsync(task, cancellationToken).ConfigureAwait(false);
        }

        for (int i = 0; i < runs.Count; i++)
        {
            if (_results[i] is null)
            {
                await TrainAsync(i, cancellationToken).ConfigureAwait(false);
                Summarize().Save(options.Folder);
            }
        }

        await MeasureLatenciesAsync(cancellationToken).ConfigureAwait(false);
        StudySummary summary = Summarize();
        summary.Save(options.Folder);
        return summary;
    }

    private async Task MeasureBaselineAsync(StudyTask task, CancellationToken cancellationToken)
    {
        string file = Path.Combine(options.Folder, task.Name, BaselineFileName);
        string settings = $"{options.ModelFingerprint} {task.Fingerprint}";
        if (StudyBaseline.Read(file, settings) is not { } baseline)
        {
            await log.WriteLineAsync($"{task.Name}: evaluating the untouched base").ConfigureAwait(false);
            (EvaluationResult? result, string? failure) = await worker.EvaluateAsync(task, cancellationToken).ConfigureAwait(false);
            if (result is null)
            {
                _failures.Add(new StudyFailure(task.Name, "untouched base", failure!));
                return;
            }

            baseline = new StudyBaseline(task.Name, settings, result.ExactMatch, result.Loss);
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            baseline.Write(file);
        }

        _baselines.Add(baseline);
    }

    private async Task TrainAsync(int index, CancellationToken cancellationToken)
    {
        StudyRun run = runs[index];
        string place = string.Create(CultureInfo.InvariantCulture, $"[{index + 1}/{runs.Count}] {run.Name}");
        await log.WriteLineAsync($"{place}: training").ConfigureAwait(false);
        Directory.CreateDirectory(run.Folder);
        (RunSummary? summary, string? failure) = await worker.TrainAsync(run, line => log.WriteLine($"{place}: {line}"), cancellationToken).ConfigureAwait(false);
        if (summary is null)
        {
            _failures.Add(new StudyFailure(run.Task.Name, run.Method.Label, failure ?? "no result"));
            return;
        }

        IReadOnlyList<TrainingProgress> steps = MetricsLog.Read(Path.Combine(run.Folder, MetricsLog.FileName));
        double? loss = steps.LastOrDefault(step => step.EvaluationLoss is not null)?.EvaluationLoss;
        _results[index] = new StudyResult
        {
            Task = run.Task.Name,
            Method = run.Method.Name,
            Size = run.Method.Size,
            Settings = run.Settings,
            Summary = summary,
            EvaluationLoss = loss is { } value && double.IsFinite(value) ? value : null,
            TokensPerS = ServingLatency.Median([.. steps.Select(step => step.TokensPerSecond)]),
        };
        run.Keep(_results[index]!);
    }

    /// <summary>After all training, so that the base is in memory once at a time.</summary>
    private async Task MeasureLatenciesAsync(CancellationToken cancellationToken)
    {
        int[] missing = [.. Enumerable.Range(0, runs.Count).Where(index => _results[index] is { Latency: null, IsFull: false })];
        if (missing.Length == 0)
        {
            return;
        }

        await log.WriteLineAsync("measuring the added time per token").ConfigureAwait(false);
        using LoadedModel model = worker.Load();
        var measurement = new LatencyMeasurement(model, options.Threads);
        await using (measurement.ConfigureAwait(false))
        {
            foreach (int index in missing)
            {
                ServingLatency latency = await measurement.MeasureAsync(runs[index].Method.Name, runs[index].Folder, cancellationToken).ConfigureAwait(false);
                _results[index] = _results[index]! with { Latency = latency };
                runs[index].Keep(_results[index]!);
            }
        }
    }

    private StudySummary Summarize() => StudySummary.Of(modelName, options.Threads, _baselines, _results.OfType<StudyResult>(), _failures);
}
