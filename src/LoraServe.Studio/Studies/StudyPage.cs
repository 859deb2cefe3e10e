using System.Xml.Linq;
using LoraServe.Training.Reports;
using LoraServe.Training.Reports.Plots;
using LoraServe.Training.Reports.Text;

namespace LoraServe.Studio.Studies;

/// <summary>A study as a page that is one file.</summary>
internal static class StudyPage
{
    private const double BytesOfMegabyte = 1e6;

    public static HtmlPage Create(StudySummary study)
    {
        var page = new HtmlPage($"Methods on {study.Model}", $"{string.Join(", ", study.Tasks)} · {study.Processor}, {study.Threads} threads");
        page.AddCards(Cards(study));
        foreach (string task in study.Tasks)
        {
            IReadOnlyList<StudyResult> results = study.Of(task);
            page.AddHeading(task);
            page.AddFigures(
            [
                AgainstShare(results, "Exact match against trained share", "exact match, %", result => 100 * (result.Summary.Score ?? double.NaN), "higher and further left is better"),
                AgainstShare(results, "Evaluation loss against trained share", "loss", result => result.EvaluationLoss ?? double.NaN, "lower and further left is better"),
            ]);
            page.AddHeading($"{task} in numbers");
            page.AddTables(Table(study.Untouched(task) is { Length: > 0 } untouched ? $"Quality; {untouched}" : "Quality", results, StudyColumn.Quality), Table("Cost", results, StudyColumn.Cost));
        }

        if (study.Results.Count > 0)
        {
            page.AddHeading("Side by side");
            page.AddFigures(Bars(study));
        }

        if (study.Failures.Count > 0)
        {
            page.AddHeading("Not done");
            page.AddTables(new HtmlTable("Runs of which nothing came", ["task", "method", "reason"], [.. study.Failures.Select(failure => new[] { failure.Task, failure.Method, failure.Reason })]));
        }

        page.AddHeading("What is measured");
        page.AddTables(new HtmlTable("", [], [.. StudyColumn.Legend.TrimEnd('.').Split(". ").Select(part => part.Split(": ", 2))]));
        return page;
    }

    private static IEnumerable<(string, string, string)> Cards(StudySummary study)
    {
        foreach (string task in study.Tasks)
        {
            if (study.Of(task).Where(result => result.Summary.Score is not null).MaxBy(result => result.Summary.Score) is { } best)
            {
                yield return ($"Best on {task}", QuantityText.Percent(best.Summary.Score!.Value), best.Label);
            }
        }

        if (study.Results.Count > 0)
        {
            yield return ("Base in memory", QuantityText.Bytes(study.Results[0].Summary.BaseBytes), study.Model);
        }

        yield return ("Runs", QuantityText.Count(study.Results.Count), study.Failures.Count > 0 ? $"{study.Failures.Count} not done" : "");
    }

    private static (XElement, string) AgainstShare(IReadOnlyList<StudyResult> results, string title, string label, Func<StudyResult, double> value, string caption)
    {
        IEnumerable<PlotSeries> series =
            from result in results
            orderby result.Summary.ParameterEfficiency
            group result by result.Method into method
            select new PlotSeries(method.Key, [.. method.Select(result => 100 * result.Summary.ParameterEfficiency)], [.. method.Select(value)])
            {
                Style = method.Count() > 1 ? SeriesStyle.Marked : SeriesStyle.Scattered,
                PointNames = [.. method.Select(result => result.Label)],
            };
        return (new LinePlot { Title = title, Description = caption, XLabel = "trained share of all parameters, %", YLabel = label, XScale = AxisScale.Logarithmic, Series = [.. series] }.ToSvg(), caption);
    }

    private static IEnumerable<(XElement, string)> Bars(StudySummary study)
    {
        yield return Bar(study, "Exact match", "%", result => 100 * (result.Summary.Score ?? double.NaN), "higher is better");
        yield return Bar(study, "Evaluation loss", "loss", result => result.EvaluationLoss ?? double.NaN, "lower is better");
        yield return Bar(study, "Peak memory of training", "MB", result => result.Summary.PeakMemoryBytes / BytesOfMegabyte, "the base and the runtime included");
        yield return Bar(study, "Training speed", "tokens/s", result => result.TokensPerS, "median over steps; higher is better");
        yield return Bar(study, "Added time per token served", "ms", result => result.Latency?.AddedMilliseconds ?? double.NaN, "one request at a time; a whole model adds nothing and has no bar");
        yield return Bar(
            study, "Size of the adapter's files", "MB", result => result.IsFull ? double.NaN : result.Summary.AdapterBytes / BytesOfMegabyte,
            study.Results.FirstOrDefault(result => result.IsFull) is { } full ? $"a whole model has {QuantityText.Bytes(full.Summary.AdapterBytes)} and no bar" : "lower is better");
    }

    /// <summary>A bar for each task in a group for each method. A size is named only where it tells two apart: the names stand close.</summary>
    private static (XElement, string) Bar(StudySummary study, string title, string label, Func<StudyResult, double> value, string caption)
    {
        StudyMethod[] methods = [.. study.Results.Select(result => new StudyMethod(result.Method, result.Size)).Distinct()];
        IEnumerable<(string, IReadOnlyList<double>)> series = study.Tasks.Select(task => (
            task, (IReadOnlyList<double>)[.. methods.Select(method => study.Of(task).FirstOrDefault(result => result.Label == method.Label) is { } result ? value(result) : double.NaN)]));
        var plot = new BarPlot
        {
            Title = title,
            Description = caption,
            XLabel = "method",
            YLabel = label,
            Groups = [.. methods.Select(method => methods.Count(other => other.Name == method.Name) > 1 ? method.Label : method.Name)],
            Series = [.. series],
        };
        return (plot.ToSvg(), caption);
    }

    private static HtmlTable Table(string caption, IReadOnlyList<StudyResult> results, IReadOnlyList<StudyColumn> columns) => new(
        caption, ["method", .. columns.Select(column => column.Heading)], [.. results.Select(result => new[] { result.Label }.Concat(columns.Select(column => column.Text(result))).ToArray())]);
}
