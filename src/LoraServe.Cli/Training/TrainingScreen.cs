using System.Globalization;
using LoraServe.Cli.Rendering;
using LoraServe.Training;
using LoraServe.Training.Reports;
using Spectre.Console;

namespace LoraServe.Cli.Training;

/// <summary>Shows a run: a bar on a terminal, a line now and then elsewhere; and what came of it.</summary>
internal sealed class TrainingScreen(TextWriter error)
{
    private const int LinesOfARun = 20;
    private static readonly TimeSpan s_refresh = TimeSpan.FromMilliseconds(200);

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
                TrainingProgress? latest = null;
                using var timer = new Timer(_ => Show(task, Volatile.Read(ref latest)), null, s_refresh, s_refresh);
                TrainingOutcome outcome = await run(progress => Volatile.Write(ref latest, progress)).ConfigureAwait(false);
                Show(task, latest);
                return outcome;
            }).ConfigureAwait(false);
    }

    /// <summary>Writes what came of a run.</summary>
    public static void Write(TextWriter output, TrainingOutcome outcome)
    {
        RunSummary summary = outcome.Summary;
        var grid = new Grid().AddColumn().AddColumn();
        Add("adapter", outcome.Directory);
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

    private static void Show(ProgressTask task, TrainingProgress? progress)
    {
        if (progress is not null)
        {
            task.MaxValue = progress.TotalSteps;
            task.Value = progress.Step;
            task.Description = Markup.Escape(Describe(progress));
        }
    }

    private void WriteLine(TrainingProgress progress)
    {
        int every = Math.Max(1, progress.TotalSteps / LinesOfARun);
        if (progress.Step % every == 0 || progress.Step == progress.TotalSteps || progress.EvaluationLoss is not null)
        {
            error.WriteLine(Describe(progress));
        }
    }

    private static string Describe(TrainingProgress progress)
    {
        string evaluation = progress.EvaluationLoss is { } loss ? string.Create(CultureInfo.InvariantCulture, $"  eval loss {loss:0.0000}, exact match {progress.EvaluationScore:p1}") : "";
        return string.Create(
            CultureInfo.InvariantCulture,
            $"step {progress.Step}/{progress.TotalSteps}  loss {progress.Loss:0.0000}  rate {progress.LearningRate:0.0e+0}  {progress.TokensPerSecond:0} tokens/s  {TimeSpan.FromSeconds(progress.SecondsLeft):m\\:ss} left{evaluation}");
    }
}
