using System.Xml.Linq;
using LoraServe.Training.Reports.Plots;
using LoraServe.Training.Reports.Text;

namespace LoraServe.Training.Reports;

/// <summary>A run's <c>report.html</c>: how training went, what it cost and what came of it.</summary>
public static class HtmlReport
{
    /// <summary>The file's name in the folder of a run.</summary>
    public const string FileName = "report.html";

    /// <summary>Parts of the run, of which a smoothed line looks back on about one.</summary>
    private const int SmoothingParts = 40;

    /// <summary>Writes the report, as a whole.</summary>
    /// <param name="path">The file.</param>
    /// <param name="summary">What the run was.</param>
    /// <param name="steps">Its steps, in order; also of a run that goes on.</param>
    public static void Save(string path, RunSummary summary, IReadOnlyList<TrainingProgress> steps) => Create(summary, steps).Save(path);

    internal static HtmlPage Create(RunSummary summary, IReadOnlyList<TrainingProgress> steps)
    {
        int total = steps.Count > 0 ? steps[^1].TotalSteps : 0;
        string progress = steps.Count == 0 ? "no step yet" : steps[^1].Step < total ? $"step {steps[^1].Step} of {total}" : $"{total} steps";
        var page = new HtmlPage(summary.Name, $"{summary.Method} on {summary.Model} · {progress}");
        page.AddCards(Cards(summary, steps));
        page.AddHeading("Training");
        page.AddFigures(Figures(steps).Concat(Ranks(summary.Ranks)));
        page.AddHeading("In numbers");
        page.AddTables(Efficiency(summary), Cost(summary, steps), new HtmlTable("Settings", [], [.. summary.Settings.Select(setting => new[] { setting.Key, setting.Value })]));
        return page;
    }

    private static IEnumerable<(string, string, string)> Cards(RunSummary summary, IReadOnlyList<TrainingProgress> steps)
    {
        if (summary.Score is { } score)
        {
            yield return ("Score", QuantityText.Percent(score), summary.BaseScore is { } before ? $"the base: {QuantityText.Percent(before)}" : "");
        }

        if (steps.Count > 0)
        {
            yield return ("Loss", QuantityText.Digits(steps[^1].Loss), $"at first: {QuantityText.Digits(steps[0].Loss)}");
        }

        if (steps.LastOrDefault(step => step.EvaluationLoss is not null)?.EvaluationLoss is { } loss)
        {
            yield return ("Evaluation loss", QuantityText.Digits(loss), $"perplexity {QuantityText.Digits(Math.Exp(loss))}");
        }

        yield return ("Trained", QuantityText.Percent(summary.ParameterEfficiency), $"{QuantityText.Count(summary.TrainableParameters)} of {QuantityText.Count(summary.AllParameters)} parameters");
        if (summary.AdapterBytes > 0)
        {
            yield return ("Adapter", QuantityText.Bytes(summary.AdapterBytes), $"the base: {QuantityText.Bytes(summary.BaseBytes)}");
        }

        if (summary.TrainingTime > TimeSpan.Zero)
        {
            yield return ("Training time", QuantityText.Duration(summary.TrainingTime), $"{QuantityText.Count(Math.Round(summary.Tokens / summary.TrainingTime.TotalSeconds))} tokens/s");
        }
    }

    private static IEnumerable<(XElement, string)> Figures(IReadOnlyList<TrainingProgress> steps)
    {
        double[] at = [.. steps.Select(step => (double)step.Step)];
        TrainingProgress[] evaluated = [.. steps.Where(step => step.EvaluationLoss is not null)];
        TrainingProgress[] scored = [.. steps.Where(step => step.EvaluationScore is not null)];
        double[] rates = [.. steps.Select(step => step.LearningRate)];
        yield return Noisy("Loss", "loss", at, [.. steps.Select(step => step.Loss)]);
        yield return Figure("Learning rate", "rate", AxisScale.Logarithmic, rates, new PlotSeries("rate", at, rates));
        yield return Noisy("Gradient norm, before clipping", "norm", at, [.. steps.Select(step => step.GradientNorm)]);
        yield return Noisy("Tokens per second", "tokens/s", at, [.. steps.Select(step => step.TokensPerSecond)]);
        if (evaluated.Length > 0)
        {
            yield return Evaluation("Evaluation loss", "loss", evaluated, step => step.EvaluationLoss!.Value);
        }

        if (scored.Length > 0)
        {
            yield return Evaluation("Evaluation score", "score", scored, step => step.EvaluationScore!.Value);
        }
    }

    private static IEnumerable<(XElement, string)> Ranks(IReadOnlyList<LayerRank> ranks)
    {
        if (ranks.Count == 0)
        {
            yield break;
        }

        int[] layers = [.. ranks.Select(rank => rank.Layer).Distinct().Order()];
        ILookup<(int, string), int> found = ranks.ToLookup(rank => (rank.Layer, rank.Module), rank => rank.Rank);
        IEnumerable<(string, IReadOnlyList<double>)> modules = ranks.Select(rank => rank.Module).Distinct()
            .Select(module => (module, (IReadOnlyList<double>)[.. layers.Select(layer => found[(layer, module)] is var here && here.Any() ? here.First() : double.NaN)]));
        var plot = new BarPlot
        {
            Title = "Rank per layer",
            IsStacked = true,
            Description = Caption([.. ranks.Select(rank => (double)rank.Rank)]),
            XLabel = "layer",
            YLabel = "sum of ranks",
            Groups = [.. layers.Select(layer => QuantityText.Count(layer))],
            Series = [.. modules],
        };
        yield return (plot.ToSvg(), $"{ranks.Count} adapted weights; least {ranks.Min(rank => rank.Rank)}, mean {QuantityText.Digits(ranks.Average(rank => rank.Rank))}, greatest {ranks.Max(rank => rank.Rank)}");
    }

    private static (XElement, string) Evaluation(string title, string label, TrainingProgress[] steps, Func<TrainingProgress, double> value)
    {
        double[] values = [.. steps.Select(value)];
        return Figure(title, label, AxisScale.Linear, values, new PlotSeries(label, [.. steps.Select(step => (double)step.Step)], values) { Style = SeriesStyle.Marked });
    }

    private static (XElement, string) Noisy(string title, string label, double[] at, double[] values) => Figure(
        title, label, AxisScale.Linear, values,
        values.Length < 2 * SmoothingParts
            ? [new PlotSeries(label, at, values)]
            : [new PlotSeries("each step", at, values) { Style = SeriesStyle.Faint }, new PlotSeries("smoothed", at, Smoothed(values))]);

    private static (XElement, string) Figure(string title, string label, AxisScale scale, double[] values, params PlotSeries[] series)
    {
        string caption = Caption(values);
        return (new LinePlot { Title = title, Description = caption, XLabel = "step", YLabel = label, XScale = AxisScale.Whole, YScale = scale, Series = series }.ToSvg(), caption);
    }

    private static string Caption(double[] values)
    {
        double[] finite = [.. values.Where(double.IsFinite)];
        string lost = finite.Length < values.Length ? $"; {values.Length - finite.Length} not finite" : "";
        return finite.Length == 0
            ? $"no values{lost}"
            : $"first {QuantityText.Digits(finite[0])}, last {QuantityText.Digits(finite[^1])}, least {QuantityText.Digits(finite.Min())}, greatest {QuantityText.Digits(finite.Max())}{lost}";
    }

    /// <summary>Exponentially weighted mean over what came before; values that are not finite are passed over.</summary>
    private static double[] Smoothed(double[] values)
    {
        double memory = 1 - (1 / Math.Max(1, (double)values.Length / SmoothingParts));
        double[] smoothed = new double[values.Length];
        double sum = 0;
        double weight = 0;
        for (int i = 0; i < values.Length; i++)
        {
            if (double.IsFinite(values[i]))
            {
                sum = (memory * sum) + values[i];
                weight = (memory * weight) + 1;
            }

            smoothed[i] = double.IsFinite(values[i]) ? sum / weight : double.NaN;
        }

        return smoothed;
    }

    private static HtmlTable Efficiency(RunSummary summary)
    {
        var rows = new List<string[]>
        {
            new[] { "Trainable parameters", QuantityText.Count(summary.TrainableParameters) },
            new[] { "All parameters", QuantityText.Count(summary.AllParameters) },
            new[] { "Parameter efficiency (trainable / all)", $"{QuantityText.Digits(summary.ParameterEfficiency)} ({QuantityText.Percent(summary.ParameterEfficiency)})" },
        };
        Add(rows, "Score", summary.Score, QuantityText.Percent);
        Add(rows, "Score of the base", summary.BaseScore, QuantityText.Percent);
        Add(rows, "Score of full fine-tuning", summary.FullScore, QuantityText.Percent);
        Add(rows, "Attainment (score / full fine-tuning's)", summary.Attainment, QuantityText.Percent);
        Add(rows, "Return on parameters (attainment / efficiency)", summary.ReturnOnParameters, QuantityText.Digits);
        return new HtmlTable("Parameters and what they bring", [], rows);
    }

    private static HtmlTable Cost(RunSummary summary, IReadOnlyList<TrainingProgress> steps)
    {
        var rows = new List<string[]>
        {
            new[] { "Steps", QuantityText.Count(steps.Count > 0 ? steps[^1].Step : 0) },
            new[] { "Tokens", QuantityText.Count(summary.Tokens) },
            new[] { "Training time", QuantityText.Duration(summary.TrainingTime) },
            new[] { "Evaluation time", QuantityText.Duration(summary.EvaluationTime) },
        };
        Add(rows, "Peak memory", summary.PeakMemoryBytes > 0 ? summary.PeakMemoryBytes : null, bytes => $"{QuantityText.Bytes(bytes)}{Ratio(bytes, summary.BaseBytes, "× the base")}");
        Add(rows, "Base in memory", summary.BaseBytes > 0 ? summary.BaseBytes : null, QuantityText.Bytes);
        Add(rows, "Adapter files", summary.AdapterBytes > 0 ? summary.AdapterBytes : null, bytes => $"{QuantityText.Bytes(bytes)}{Ratio(100 * bytes, summary.BaseBytes, "% of the base")}");
        return new HtmlTable("Cost", [], rows);
    }

    private static string Ratio(double part, double whole, string of) => whole > 0 ? $" ({QuantityText.Digits(part / whole)} {of})" : "";

    private static void Add(List<string[]> rows, string name, double? value, Func<double, string> text)
    {
        if (value is { } known)
        {
            rows.Add([name, text(known)]);
        }
    }
}
