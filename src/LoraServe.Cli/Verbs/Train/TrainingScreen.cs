using System.Globalization;
using LoraServe.Cli.Rendering;
using LoraServe.Training.Reports;
using Spectre.Console;

namespace LoraServe.Cli.Verbs.Train;

/// <summary>Shows a run: a bar on a terminal, a line now and then elsewhere; and what came of it.</summary>
internal sealed class TrainingScreen(TextWriter error)
{
    private const int LinesOfARun = 20;
    private static readonly TimeSpan s_refresh = TimeSpan.FromMilliseconds(200);
    private int? _rank;
    private TrainingProgress? _evaluated;

    /// <summary>Shows a run's progress until it ends.</summary>
    /// <param name="run">Begins the run; its argument takes the run's progress, on any thread.</param>
    public async Task<TrainingOutcome> ShowAsync(Func<Action<TrainingProgress>, Task<TrainingOutcome>> run)
    {
        if (System.Console.IsErrorRedirected || !ReferenceEquals(error, System.Console.Error))
        {
            return await run(WriteLine).ConfigureAwait(false);
        }

        return await Terminal.Console(error).Progress().AutoClear(false)
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .StartAsync(async context =>
            {
                ProgressTask task = context.AddTask("training", maxValue: 1);
                string text = "";
                TrainingProgress? latest = null;
                using var timer = new Timer(_ => Show(task, Volatile.Read(ref latest), Volatile.Read(ref text)), null, s_refresh, s_refresh);
                TrainingOutcome outcome = await run(progress =>
                {
                    Volatile.Write(ref text, Describe(progress));
                    Volatile.Write(ref latest, progress);
                }).ConfigureAwait(false);
                Show(task, latest, text);
                return outcome;
            }).ConfigureAwait(false);
    }

    /// <summary>Writes what came of a run.</summary>
    public static void Write(TextWriter output, TrainingOutcome outcome)
    {
        RunSummary summary = outcome.Summary;
        var grid = new Grid().AddColumn().AddColumn();
        Add("adapter", outcome.Directory);
        foreach ((string name, string value) in summary.Settings.Where(setting => setting.Key is "Data" or "Long rows"))
        {
            Add(name.ToLowerInvariant(), value);
        }

        Add("method", summary.Method);
        Add("trained", string.Create(CultureInfo.InvariantCulture, $"{summary.TrainableParameters:#,0} of {summary.AllParameters:#,0} parameters ({summary.ParameterEfficiency:p3}), {Terminal.Bytes(summary.AdapterBytes)} on disk"));
        Add("time", string.Create(CultureInfo.InvariantCulture, $"{summary.TrainingTime.TotalSeconds:0.0} s, {summary.Tokens / Math.Max(summary.TrainingTime.TotalSeconds, 1e-9):0} tokens/s"));
        Add("memory", $"{Terminal.Bytes(summary.PeakMemoryBytes)} at most, the base {Terminal.Bytes(summary.BaseBytes)} of it");
        if (summary.Score is { } score)
        {
            Add("exact match", score.ToString("p2", CultureInfo.InvariantCulture));
        }

        Add("report", Path.Combine(outcome.Directory, HtmlReport.FileName));
        Terminal.Console(output).Write(grid);

        void Add(string name, string value) => grid.AddRow(new Text(name), new Text(value));
    }

    private static void Show(ProgressTask task, TrainingProgress? progress, string text)
    {
        if (progress is not null)
        {
            task.MaxValue = progress.TotalSteps;
            task.Value = progress.Step;
            task.Description = Markup.Escape(text);
        }
    }

    private void WriteLine(TrainingProgress progress)
    {
        int every = Math.Max(1, progress.TotalSteps / LinesOfARun);
        bool tells = progress.Step % every == 0 || progress.Step == progress.TotalSteps || progress.EvaluationLoss is not null;
        string text = Describe(progress);
        if (tells)
        {
            error.WriteLine(text);
        }
    }

    /// <summary>A step in a line, with the last evaluation and a growing rank, and what it has just grown from.</summary>
    private string Describe(TrainingProgress progress)
    {
        _evaluated = progress.EvaluationLoss is null ? _evaluated : progress;
        string evaluation = _evaluated is { } last ? string.Create(CultureInfo.InvariantCulture, $"  eval loss {last.EvaluationLoss:0.0000}, exact match {last.EvaluationScore:p1}") : "";
        string when = _evaluated is { } earlier && earlier != progress ? $" at step {earlier.Step}" : "";
        string rank = progress.Rank is not { } now ? "" : _rank is { } before && before != now ? $"  rank {now}, grown from {before}" : $"  rank {now}";
        _rank = progress.Rank;
        return string.Create(
            CultureInfo.InvariantCulture,
            $"step {progress.Step}/{progress.TotalSteps}  loss {progress.Loss:0.0000}  rate {progress.LearningRate:0.0e+0}{rank}  {progress.TokensPerSecond:0} tokens/s  {Left(progress.SecondsLeft)} left{evaluation}{when}");
    }

    private static string Left(double seconds)
    {
        var left = TimeSpan.FromSeconds(seconds);
        return left.TotalHours >= 1
            ? string.Create(CultureInfo.InvariantCulture, $"{(int)left.TotalHours}:{left:mm\\:ss}")
            : left.ToString("m\\:ss", CultureInfo.InvariantCulture);
    }
}
