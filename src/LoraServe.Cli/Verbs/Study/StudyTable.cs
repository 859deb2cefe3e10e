using LoraServe.Cli.Rendering;
using LoraServe.Studio.Studies;
using Spectre.Console;

namespace LoraServe.Cli.Verbs.Study;

/// <summary>A study as tables on a terminal.</summary>
internal static class StudyTable
{
    public static void Write(TextWriter output, StudySummary study)
    {
        IAnsiConsole console = Terminal.Console(output);
        foreach (string task in study.Tasks)
        {
            output.WriteLine(study.Untouched(task) is { Length: > 0 } untouched ? $"{study.Model} on {task} ({untouched})" : $"{study.Model} on {task}");
            Write(console, study.Of(task), StudyColumn.Quality);
            Write(console, study.Of(task), StudyColumn.Cost);
        }

        foreach (StudyFailure failure in study.Failures)
        {
            output.WriteLine($"not done: {failure.Task}, {failure.Method}: {failure.Reason}");
        }

        console.Write(new Text(StudyColumn.Legend));
        output.WriteLine();
    }

    private static void Write(IAnsiConsole console, IReadOnlyList<StudyResult> results, IReadOnlyList<StudyColumn> columns)
    {
        Table table = Terminal.Table(["method", .. columns.Select(column => $">{column.Heading}")]);
        foreach (StudyResult result in results)
        {
            table.AddText([result.Label, .. columns.Select(column => column.Text(result))]);
        }

        console.Write(table);
    }
}
