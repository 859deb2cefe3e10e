using System.Xml.Linq;
using LoraServe.Training.Reports;

namespace LoraServe.Training.Tests.Reports;

public sealed class HtmlReportTests : IDisposable
{
    private static readonly XNamespace s_svg = "http://www.w3.org/2000/svg";
    private readonly string _folder = Directory.CreateTempSubdirectory("loraserve-").FullName;

    private static RunSummary Summary => new()
    {
        Name = "intent",
        Model = "a model",
        Method = "LoRA",
        TrainableParameters = 230_400,
        AllParameters = 134_745_408,
        BaseBytes = 90_000_000,
        AdapterBytes = 934_400,
        PeakMemoryBytes = 800_000_000,
        Tokens = 25_000,
        TrainingTime = TimeSpan.FromSeconds(78),
        EvaluationTime = TimeSpan.FromSeconds(12),
        Score = 0.9075,
        BaseScore = 0,
        FullScore = 0.95,
        Ranks = [.. Enumerable.Range(0, 30).SelectMany(layer => new[] { "q_proj", "v_proj" }.Select(module => new LayerRank(layer, module, 2 + (layer % 5))))],
        Settings = [new("rank", "4"), new("data", "snips.train.jsonl")],
    };

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Save_FinishedRun_HasEveryPlotAndEveryNumber()
    {
        XElement page = Save(Summary, [.. Steps(150)]);

        Assert.Equal(
            ["Loss", "Learning rate", "Gradient norm, before clipping", "Tokens per second", "Evaluation loss", "Evaluation score", "Rank per layer"],
            page.Descendants(s_svg + "svg").Select(plot => plot.Attribute("aria-label")!.Value));
        Assert.Equal(60, page.Descendants(s_svg + "rect").Count(bar => bar.Element(s_svg + "title") is not null));
        string[] cells = [.. page.Descendants("tr").Select(row => string.Join(" = ", row.Elements().Select(cell => cell.Value)))];
        Assert.Contains("Trainable parameters = 230,400", cells);
        Assert.Contains("Parameter efficiency (trainable / all) = 0.00171 (0.171 %)", cells);
        Assert.Contains("Attainment (score / full fine-tuning's) = 95.53 %", cells);
        Assert.Contains("Return on parameters (attainment / efficiency) = 558.7", cells);
        Assert.Contains("Adapter files = 934.4 kB (1.038 % of the base)", cells);
        Assert.Contains("Peak memory = 800 MB (8.889 × the base)", cells);
        Assert.Contains("Training time = 1 min 18 s", cells);
        Assert.Contains("data = snips.train.jsonl", cells);
    }

    [Fact]
    public void Save_AnyRun_NeedsNothingFromOutside()
    {
        XElement page = Save(Summary, [.. Steps(20)]);

        string[] names = [.. page.Descendants().Select(element => element.Name.LocalName)];
        Assert.DoesNotContain(names, name => name is "script" or "link" or "img" or "iframe" or "object" or "use" or "image" or "a");
        Assert.DoesNotContain(page.Descendants().Attributes(), attribute => attribute.Name.LocalName is "href" or "src" || attribute.Name.LocalName.StartsWith("on", StringComparison.Ordinal));
        Assert.All(
            page.Descendants().Where(element => element.Name.LocalName == "style"),
            style => Assert.False(style.Value.Contains("url(", StringComparison.Ordinal) || style.Value.Contains("@import", StringComparison.Ordinal)));
        Assert.All(page.Descendants(s_svg + "svg"), plot => Assert.NotEqual("", plot.Element(s_svg + "title")!.Value));
    }

    [Fact]
    public void Save_NoSteps_IsAPageAllTheSame()
    {
        XElement page = Save(new RunSummary { Name = "new", Model = "m", Method = "LoRA", TrainableParameters = 0, AllParameters = 0 }, []);

        Assert.Equal(4, page.Descendants(s_svg + "svg").Count(plot => plot.Value.Contains("nothing to show", StringComparison.Ordinal)));
    }

    [Fact]
    public void Save_LossThatIsNoNumber_SaysSoAndLeavesAGap()
    {
        TrainingProgress[] steps = [.. Steps(20)];
        steps[10] = steps[10] with { Loss = double.NaN, GradientNorm = double.PositiveInfinity };

        XElement page = Save(Summary, steps);

        XElement loss = page.Descendants(s_svg + "svg").First();
        Assert.EndsWith("1 not finite", loss.Element(s_svg + "desc")!.Value, StringComparison.Ordinal);
        Assert.All(loss.Descendants(s_svg + "path"), path => Assert.Equal(2, path.Attribute("d")!.Value.Count(letter => letter == 'M')));
        Assert.DoesNotContain("NaN", page.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("∞", page.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Save_HostileText_IsText()
    {
        const string Hostile = "</title><script>alert('1')</script>&\"<img src=x onerror=alert(1)>\u0000\u0008\ud800";
        RunSummary run = Summary with { Name = Hostile, Model = Hostile, Method = Hostile, Settings = [new(Hostile, Hostile)], Ranks = [new LayerRank(0, Hostile, 1), new LayerRank(0, "b", 1)] };

        XElement page = Save(run, [.. Steps(3)]);

        Assert.DoesNotContain(page.Descendants(), element => element.Name.LocalName is "script" or "img");
        Assert.Equal(Hostile.Replace('\u0000', '\uFFFD').Replace('\u0008', '\uFFFD').Replace('\ud800', '\uFFFD'), page.Descendants("title").First().Value);
    }

    [Fact]
    public void Save_OverAnOlderReport_ReplacesItWhole()
    {
        Save(Summary with { Name = "older" }, []);

        XElement page = Save(Summary, []);

        Assert.Equal("intent", page.Descendants("h1").Single().Value);
        Assert.Single(Directory.GetFiles(_folder));
    }

    private static IEnumerable<TrainingProgress> Steps(int count) => Enumerable.Range(1, count).Select(step => MetricsLogTests.Step(step) with
    {
        TotalSteps = count,
        Loss = 0.4 + (5 * Math.Exp(-step / 25.0)) + (0.25 * Math.Abs(Math.Sin(step * 1.7))),
        LearningRate = 1e-3 * (step <= 10 ? (step - 1) / 10.0 : (count - step) / (double)count),
        GradientNorm = 1 + (8 * Math.Exp(-step / 20.0)) + Math.Abs(Math.Cos(step * 2.3)),
        TokensPerSecond = 320 + (15 * Math.Sin(step)),
        EvaluationLoss = step % 15 == 0 ? 0.5 + (3 * Math.Exp(-step / 25.0)) : null,
        EvaluationScore = step % 15 == 0 ? 0.91 * (1 - Math.Exp(-step / 30.0)) : null,
    });

    private XElement Save(RunSummary summary, TrainingProgress[] steps)
    {
        string path = Path.Combine(_folder, HtmlReport.FileName);
        HtmlReport.Save(path, summary, steps);
        return XDocument.Load(path).Root!;
    }
}
