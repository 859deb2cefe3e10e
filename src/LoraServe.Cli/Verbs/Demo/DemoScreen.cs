using System.Globalization;
using LoraServe.Cli.Rendering;
using LoraServe.Training.Reports;
using Spectre.Console;

namespace LoraServe.Cli.Verbs.Demo;

/// <summary>Shows answers side by side while they come; where the output is no terminal, once they are there.</summary>
internal sealed class DemoScreen(IAnsiConsole console)
{
    private static readonly TimeSpan s_interval = TimeSpan.FromMilliseconds(100);

    /// <summary>A headline of the story.</summary>
    public void Say(FormattableString text) => console.WriteLine(text.ToString(CultureInfo.InvariantCulture));

    /// <summary>A table of anything.</summary>
    public void Show(Table table) => console.Write(table);

    /// <summary>Shows answers until <paramref name="work"/> is done.</summary>
    public async Task WatchAsync(IReadOnlyList<DemoAnswer> answers, Task work)
    {
        if (console.Profile.Capabilities.Interactive && console.Profile.Out.IsTerminal)
        {
            await console.Live(Answers(answers)).StartAsync(async live =>
            {
                while (!work.IsCompleted)
                {
                    await Task.WhenAny(work, Task.Delay(s_interval)).ConfigureAwait(false);
                    live.UpdateTarget(Answers(answers));
                }
            }).ConfigureAwait(false);
            await work.ConfigureAwait(false);
        }
        else
        {
            await work.ConfigureAwait(false);
            Show(Answers(answers));
        }
    }

    /// <summary>Shows runs that go on together until all are done, each with a bar where the output is a terminal.</summary>
    /// <param name="names">The runs' names.</param>
    /// <param name="run">Begins the run of an index; its second argument takes the run's progress, on any thread.</param>
    public async Task<TrainingOutcome[]> TrainAsync(string[] names, Func<int, Action<TrainingProgress>, Task<TrainingOutcome>> run)
    {
        if (!console.Profile.Capabilities.Interactive || !console.Profile.Out.IsTerminal)
        {
            return await Task.WhenAll(names.Select((_, index) => run(index, static _ => { }))).ConfigureAwait(false);
        }

        return await console.Progress().Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn()).StartAsync(context =>
        {
            ProgressTask[] bars = [.. names.Select(name => context.AddTask(Markup.Escape(name)))];
            return Task.WhenAll(names.Select((name, index) => run(index, progress =>
            {
                bars[index].MaxValue = progress.TotalSteps;
                bars[index].Value = progress.Step;
                bars[index].Description = Markup.Escape(string.Create(CultureInfo.InvariantCulture, $"{name}  loss {progress.Loss:0.00}"));
            })));
        }).ConfigureAwait(false);
    }

    private static Table Answers(IReadOnlyList<DemoAnswer> answers)
    {
        Table table = Terminal.Table("adapter", "prompt", "answer");
        foreach (DemoAnswer answer in answers)
        {
            table.AddText(answer.Adapter.Length > 0 ? answer.Adapter : "(base model)", answer.Prompt, answer.Text);
        }

        return table;
    }
}
