using System.Globalization;
using LoraServe.Cli.Rendering;
using Spectre.Console;

namespace LoraServe.Cli.Demo;

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
