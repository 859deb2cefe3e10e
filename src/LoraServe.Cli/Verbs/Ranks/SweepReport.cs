using LoraServe.Cli.Rendering;
using LoraServe.Studio;
using LoraServe.Training.Ranks.Sweep;
using Spectre.Console;

namespace LoraServe.Cli.Verbs.Ranks;

/// <summary>What a sweep found, as a table or as JSON.</summary>
internal static class SweepReport
{
    public static void Write(IAnsiConsole console, SweepResult result)
    {
        Table table = Terminal.Table(">rank", ">rate", ">loss", ">standard error", "");
        foreach (CandidateScore score in result.Scores)
        {
            string mark = score == result.Chosen ? "chosen" : score == result.Best ? "lowest" : "";
            table.AddText(
                Text($"{score.Candidate.Rank}"), Text($"{score.Candidate.LearningRate:0.##e-0}"), double.IsFinite(score.Mean) ? Text($"{score.Mean:0.0000}") : "diverged", Error(score), mark);
        }

        console.Write(table);
        console.WriteLine(Text($"loss: mean over {result.Best.Losses.Count} folds, each on the rows left out. Chosen: the smallest rank within one standard error of the lowest."));
        console.WriteLine(Text($"loraserve train --rank {result.Chosen.Candidate.Rank} --lr {result.Chosen.Candidate.LearningRate}"));
    }

    public static void WriteJson(TextWriter output, string name, SweepResult result) => output.WriteJson(new
    {
        Model = name,
        Chosen = Of(result.Chosen),
        Best = Of(result.Best),
        Candidates = result.Scores.Select(Of),
    });

    private static object Of(CandidateScore score) => new
    {
        score.Candidate.Rank,
        score.Candidate.LearningRate,
        Loss = Finite(score.Mean),
        StandardError = Finite(score.StandardError),
        Folds = score.Losses.Select(Finite),
    };

    private static double? Finite(double value) => double.IsFinite(value) ? value : null;

    private static string Error(CandidateScore score) => double.IsFinite(score.StandardError) ? Text($"{score.StandardError:0.0000}") : "";

    private static string Text(FormattableString text) => FormattableString.Invariant(text);
}
