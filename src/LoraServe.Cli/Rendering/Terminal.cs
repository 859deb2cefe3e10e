using System.Globalization;
using LoraServe.Training.Reports.Text;
using Spectre.Console;

namespace LoraServe.Cli.Rendering;

/// <summary>Tables, progress and units for people.</summary>
internal static class Terminal
{
    /// <summary>A console on a writer; plain text where the writer is not a terminal.</summary>
    public static IAnsiConsole Console(TextWriter writer) => AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(writer) });

    /// <summary>A table in the style of all verbs.</summary>
    /// <param name="columns">Headings; one that begins with <c>&gt;</c> is for numbers and aligned right.</param>
    public static Table Table(params ReadOnlySpan<string> columns)
    {
        var table = new Table().Border(TableBorder.Simple);
        foreach (string column in columns)
        {
            var heading = new TableColumn(Markup.Escape(column.TrimStart('>')));
            table.AddColumn(column.StartsWith('>') ? heading.RightAligned() : heading);
        }

        return table;
    }

    /// <summary>Adds a row of plain text.</summary>
    public static void AddText(this Table table, params string[] cells) => table.AddRow([.. cells.Select(cell => new Text(cell))]);

    /// <summary>Bytes in a unit that suits, powers of 1000.</summary>
    public static string Bytes(double bytes) => QuantityText.Bytes(bytes);

    /// <summary>A number of many parts in a unit that suits.</summary>
    public static string Count(double count) => QuantityText.ShortCount(count);

    /// <summary>Runs work of many equal parts, with a bar, a rate and the time left where <paramref name="error"/> is a terminal.</summary>
    /// <param name="error">Where the bar goes.</param>
    /// <param name="description">What is done.</param>
    /// <param name="count">Number of parts.</param>
    /// <param name="work">Calls its argument after each part, from any thread.</param>
    /// <typeparam name="T">What the work gives.</typeparam>
    public static async Task<T> ProgressAsync<T>(TextWriter error, string description, int count, Func<Action, Task<T>> work)
    {
        if (System.Console.IsErrorRedirected || !ReferenceEquals(error, System.Console.Error))
        {
            return await work(static () => { }).ConfigureAwait(false);
        }

        return await Console(error).Progress().AutoClear(true)
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RateColumn(), new RemainingTimeColumn())
            .StartAsync(context =>
            {
                ProgressTask task = context.AddTask(description, maxValue: count);
                return work(() => task.Increment(1));
            }).ConfigureAwait(false);
    }

    private sealed class RateColumn : ProgressColumn
    {
        public override Spectre.Console.Rendering.IRenderable Render(Spectre.Console.Rendering.RenderOptions options, ProgressTask task, TimeSpan deltaTime) =>
            new Text(string.Create(CultureInfo.InvariantCulture, $"{task.Value:0}/{task.MaxValue:0} {task.Speed ?? 0:0.0}/s"));
    }
}
