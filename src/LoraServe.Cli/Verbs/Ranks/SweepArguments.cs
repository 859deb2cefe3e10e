using System.CommandLine;
using System.Globalization;
using LoraServe.Cli.Mistakes;
using LoraServe.Cli.Rendering;
using LoraServe.Models;
using LoraServe.Training;
using LoraServe.Training.Methods;
using LoraServe.Training.Options;
using LoraServe.Training.Ranks;
using LoraServe.Training.Ranks.Sweep;

namespace LoraServe.Cli.Verbs.Ranks;

/// <summary>The options of <c>loraserve ranks --sweep</c>, and the sweep that they ask for.</summary>
internal sealed class SweepArguments
{
    private const int UsualFolds = 5;

    private readonly Option<string?> _ranks = new("--sweep") { Description = "Train instead: choose among these ranks by cross-validation on --data.", HelpName = "N,N" };
    private readonly Option<string?> _rates = new("--rates") { Description = "Sweep: the learning rates. [default: the method's]", HelpName = "F,F" };
    private readonly Option<int?> _folds = new("--folds") { Description = "Sweep: parts of the data, each of which is once held out. [default: 5]", HelpName = "K" };
    private readonly Option<string?> _method = new("--method") { Description = "Sweep: the method. [default: lora]", HelpName = "NAME" };
    private readonly Option<int?> _steps = new("--steps") { Description = "Sweep: steps of each run. [default: one epoch]", HelpName = "N" };
    private readonly Option<int?> _batchRows = new("--batch-rows") { Description = "Sweep: rows of a batch. [default: 16]", HelpName = "N" };
    private readonly Option<int?> _seed = new("--seed") { Description = "Sweep: what folds and first values are drawn from. [default: 0]", HelpName = "N" };

    /// <summary>Adds the options to a verb.</summary>
    public void AddTo(Command verb)
    {
        foreach (Option option in new Option[] { _ranks, _rates, _folds, _method, _steps, _batchRows, _seed })
        {
            verb.Add(option);
        }
    }

    /// <summary>Whether a sweep is asked for.</summary>
    public bool IsGiven(ParseResult arguments) => arguments.GetValue(_ranks) is not null;

    /// <summary>Runs the sweep.</summary>
    /// <param name="arguments">The command line.</param>
    /// <param name="model">The base.</param>
    /// <param name="data">The rows.</param>
    /// <param name="targets">Modules that get a pair; none for the method's.</param>
    /// <param name="threads">Threads that compute.</param>
    /// <param name="error">Where progress goes.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="UsageException">A value is wrong.</exception>
    /// <exception cref="RankChoiceException">The rows are too few for the folds.</exception>
    public async Task<SweepResult> RunAsync(
        ParseResult arguments, LoadedModel model, string? data, string[] targets, int threads, TextWriter error, CancellationToken cancellationToken)
    {
        var options = new TrainingJobOptions
        {
            Method = arguments.GetValue(_method) ?? "lora",
            DataFile = data ?? throw new UsageException("--sweep trains; name the rows with --data."),
            Targets = targets,
            Steps = arguments.GetValue(_steps),
            BatchRows = arguments.GetValue(_batchRows),
            Seed = arguments.GetValue(_seed) ?? 0,
        };
        int folds = arguments.GetValue(_folds) ?? UsualFolds;
        var sweep = new RankSweep(
            [.. Numbers(_ranks, arguments).Select(rank => rank == Math.Floor(rank) && rank is >= 1 and <= int.MaxValue ? (int)rank : throw new UsageException(FormattableString.Invariant($"--sweep has {rank}; expected whole numbers from 1.")))],
            arguments.GetValue(_rates) is null ? [MethodCatalog.LearningRate(options)]
                : [.. Numbers(_rates, arguments).Select(rate => rate > 0 ? rate : throw new UsageException(FormattableString.Invariant($"--rates has {rate}; expected numbers above 0.")))],
            folds is >= 2 ? folds : throw new UsageException($"--folds is {folds}; expected 2 or more."),
            options.Seed);
        DirectoryInfo folder = Directory.CreateTempSubdirectory("loraserve-sweep-");
        try
        {
            using var trainer = new Trainer(model, new TrainerOptions { WorkerCount = threads });
            trainer.Check(options);
            int steps = options.Steps is { } given ? given * folds * sweep.Candidates.Length : 0;
            return await Terminal.ProgressAsync(
                error, "Training", Math.Max(1, steps), stepDone => SweepTraining.RunAsync(trainer, sweep, options, folder.FullName, stepDone, cancellationToken)).ConfigureAwait(false);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static double[] Numbers(Option<string?> option, ParseResult arguments) =>
    [
        .. arguments.GetValue(option)!.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
            .Select(text => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double number)
                ? number
                : throw new UsageException($"{option.Name} has '{text}'; expected numbers with commas between them.")),
    ];
}
